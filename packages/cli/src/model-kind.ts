// Which of the files that commands take as a model is a program: told by its name, so that nothing need be read or loaded for it.

/** NAME.lutra, what `lutra compile --to program` writes. */
export function isProgram(file: string): boolean {
  return /\.lutra$/i.test(file);
}
