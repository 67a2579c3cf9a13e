// The page: shows what its worker says, and asks it about every change of the text.

const elements = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const { text, date, doubt, time, status, loading, progress, failure, reason } = elements;

let isReady = false;
let worker = start();

function start() {
  isReady = false;
  const started = new Worker("reader.js", { type: "module" });
  started.onmessage = ({ data }) => SHOW[data.kind](data);
  started.onerror = () => SHOW.failure({ reason: "the reader did not start" });
  return started;
}

function ask() {
  if (isReady) worker.postMessage(text.value);
}

/** By the kind of a message. */
const SHOW = {
  progress({ bytes, total }) {
    // Without a length the bar says only that something happens.
    if (total !== null) progress.value = bytes / total;
    status.textContent = total === null ? kilobytes(bytes) : `${kilobytes(bytes)} of ${kilobytes(total)}`;
  },
  ready({ form, memoryBytes, ms }) {
    isReady = true;
    loading.hidden = true;
    status.textContent = `Ready ${ms.toFixed(0)} ms after the first request: ${NAMES[form]}, ${kilobytes(memoryBytes)} of memory.`;
    ask();
  },
  answer({ text: asked, iso, isDay, sure, ms }) {
    // Another answer is on its way.
    if (asked !== text.value) return;
    const isEmpty = asked.trim() === "";
    date.textContent = isEmpty ? "····-··-··" : iso;
    doubt.textContent = isEmpty ? "" : doubtOf(isDay, sure);
    time.textContent = isEmpty ? "" : `Read in ${milliseconds(ms)}.`;
  },
  failure({ reason: why }) {
    loading.hidden = true;
    failure.hidden = false;
    status.textContent = "";
    reason.textContent = `The model does not run here: ${why}.`;
  },
};

const NAMES = { simd: "SIMD", relaxed: "relaxed SIMD" };

const PARTS = [
  ["year", 0, 4],
  ["month", 4, 6],
  ["day", 6, 8],
];

function doubtOf(isDay, sure) {
  const unsure = PARTS.filter(([, from, to]) => Math.min(...sure.slice(from, to)) < 0.9).map(([name]) => `the ${name}`);
  const doubts = [
    ...(unsure.length > 0 ? [`not sure of ${new Intl.ListFormat("en").format(unsure)}`] : []),
    ...(isDay ? [] : ["no day of the calendar"]),
  ];
  return doubts.join("; ");
}

/** Clocks of pages that are not cross-origin isolated tick every 0.1 ms. */
function milliseconds(ms) {
  return ms < 0.05 ? "less than 0.1 ms" : `${ms.toFixed(crossOriginIsolated ? 2 : 1)} ms`;
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}

text.addEventListener("input", ask);
elements.form.addEventListener("submit", (event) => event.preventDefault());
elements.examples.addEventListener("click", ({ target }) => {
  if (target.tagName !== "BUTTON") return;
  text.value = target.textContent;
  ask();
});
elements.again.addEventListener("click", () => {
  worker.terminate();
  loading.hidden = false;
  failure.hidden = true;
  progress.removeAttribute("value");
  worker = start();
});
