/** Returns the place of a plot in `docs/`: a folder for each question. */
export function plotPath(question: string, contest: string): string {
  return `images/bench/${question}/${contest}.svg`;
}
