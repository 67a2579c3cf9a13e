// The evolution itself, as DEAP's eaSimple runs it for GQA-LUT: tournaments choose whole new populations, pairs exchange a stretch of
// genes, some mutate, and the best of the last population is the answer: no elite is kept. It knows genes and a fitness, no tables.

import type { Work } from "../base/index.ts";
import type { Interval, Random } from "../num/index.ts";

export interface Evolution {
  /** Numbers per individual. */
  readonly genes: number;
  /** Where they are drawn from at first. */
  readonly span: Interval;
  readonly population: number;
  readonly generations: number;
  /** Changes an individual in place. */
  readonly mutate: (genes: Float64Array, random: Random) => void;
  /** What is to become small. The genes come sorted. */
  readonly fitness: (genes: Float64Array) => number;
}

const TOURNAMENT = 3;
const CROSSOVER_PROBABILITY = 0.7;
const MUTATION_PROBABILITY = 0.2;
const GENERATIONS_PER_TURN = 10;

interface Individual {
  readonly genes: Float64Array;
  /** Whether the genes have changed since the fitness was computed. */
  changed: boolean;
  fitness: number;
}

/** The fittest genes of the last generation, ascending. */
export function* evolve(evolution: Evolution, random: Random): Work<Float64Array> {
  const { span, generations } = evolution;
  const create = (): Individual => ({ genes: new Float64Array(evolution.genes), changed: true, fitness: 0 });
  let population = Array.from({ length: evolution.population }, create);
  let offspring = Array.from({ length: evolution.population }, create);
  for (const { genes } of population) {
    for (let i = 0; i < genes.length; i++) genes[i] = span.lo + (span.hi - span.lo) * random.uniform();
  }
  assess(population, evolution);
  for (let generation = 0; generation < generations; generation++) {
    if (generation % GENERATIONS_PER_TURN === 0) yield { stage: "genetic", done: generation, total: generations };
    select(population, offspring, random);
    for (let i = 1; i < offspring.length; i += 2) {
      if (random.uniform() < CROSSOVER_PROBABILITY)
        cross(offspring[i - 1] as Individual, offspring[i] as Individual, random);
    }
    for (const individual of offspring) {
      if (random.uniform() >= MUTATION_PROBABILITY) continue;
      evolution.mutate(individual.genes, random);
      individual.changed = true;
    }
    assess(offspring, evolution);
    [population, offspring] = [offspring, population];
  }
  return population.reduce((best, one) => (one.fitness < best.fitness ? one : best)).genes;
}

function assess(population: readonly Individual[], { fitness }: Evolution): void {
  for (const individual of population) {
    if (!individual.changed) continue;
    individual.genes.sort();
    individual.fitness = fitness(individual.genes);
    individual.changed = false;
  }
}

/** Each place goes to the fittest of three drawn with replacement. */
function select(population: readonly Individual[], offspring: readonly Individual[], random: Random): void {
  for (const place of offspring) {
    let best = population[random.below(population.length)] as Individual;
    for (let k = 1; k < TOURNAMENT; k++) {
      const other = population[random.below(population.length)] as Individual;
      if (other.fitness < best.fitness) best = other;
    }
    place.genes.set(best.genes);
    place.fitness = best.fitness;
    place.changed = false;
  }
}

/** Two-point crossover: the genes from one cut up to another change sides; the cuts lie between 1 and the number of genes. */
function cross(a: Individual, b: Individual, random: Random): void {
  const size = a.genes.length;
  if (size < 2) return;
  const one = 1 + random.below(size);
  const other = 1 + random.below(size - 1);
  const [from, to] = other >= one ? [one, other + 1] : [other, one];
  for (let i = from; i < to; i++) {
    const gene = a.genes[i] as number;
    a.genes[i] = b.genes[i] as number;
    b.genes[i] = gene;
  }
  a.changed = true;
  b.changed = true;
}
