/** A line that grows on a terminal, or one line every few seconds where there is none. */
const terminal = Deno.stdout.isTerminal();
const WIDTH = 30;
const EVERY_MS = 5_000;

const grouped = new Intl.NumberFormat("en");
const encoder = new TextEncoder();

/** `90` as `1:30`. */
function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
}

/** Shows how much of something is done. `unit` stands behind the numbers. */
export class Progress {
  #began = performance.now();
  #shown = -Infinity;

  constructor(readonly title: string, readonly unit: string) {}

  /** `perSecond` and `remaining` (seconds) as somebody else has measured them, else from the start on. */
  show(done: number, total: number, perSecond?: number | null, remaining?: number | null): void {
    const now = performance.now();
    const isEnd = done >= total;
    if (!terminal && !isEnd && now - this.#shown < EVERY_MS) return;
    this.#shown = now;
    const seconds = (now - this.#began) / 1000;
    const rate = perSecond ?? (seconds > 0 ? done / seconds : 0);
    const left = remaining ?? (rate > 0 ? (total - done) / rate : 0);
    const share = total > 0 ? done / total : 1;
    const bar = "█".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "░");
    const line = `${this.title.padEnd(8)} ${terminal ? `${bar} ` : ""}${
      String(Math.floor(share * 100)).padStart(3)
    } %  ${grouped.format(done)} of ${grouped.format(total)} ${this.unit}  ${
      grouped.format(Math.round(rate))
    } a second${isEnd ? `  in ${clock(seconds)}` : `  ${clock(left)} left`}`;
    if (terminal) {
      Deno.stdout.writeSync(encoder.encode(`\r${line}\x1b[K${isEnd ? "\n" : ""}`));
    } else console.log(line);
  }
}
