import { type FileHandle, open, stat } from "node:fs/promises";
import type { Stats } from "node:fs";

/** Read and written by its owner alone: it says who signs in, when and from where. */
const MODE = 0o600;

function isAbsent(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === "ENOENT";
}

/** A pipe or a device has nothing to be kept. */
function cannotSync(error: unknown): boolean {
  return ["EINVAL", "ENOTSUP"].includes(String((error as { readonly code?: unknown }).code));
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether what is appended has to begin on a new line: somebody was stopped in the middle of theirs. */
async function endsWithinLine(path: string, stats: Stats): Promise<boolean> {
  if (!stats.isFile() || stats.size === 0) return false;
  try {
    const file = await open(path, "r");
    try {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, stats.size - 1);
      return buffer.toString() !== "\n";
    } finally {
      await file.close();
    }
  } catch {
    // Who may only append cannot know, and an empty line does no harm.
    return true;
  }
}

/** What is open at a path: only ever appended to, by any number of processes. */
export class AppendedFile {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly opened: Stats,
    /** Whether it ends within a line. */
    readonly isTorn: boolean,
    /** Bytes that it had when it was last looked at; it has no fewer now. */
    private bytes: number,
  ) {}

  static async open(path: string): Promise<AppendedFile> {
    // O_APPEND: the system puts each write at the end as it is then, whoever else writes.
    const handle = await open(path, "a", MODE);
    try {
      const stats = await handle.stat();
      return new AppendedFile(path, handle, stats, await endsWithinLine(path, stats), stats.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get size(): number {
    return this.bytes;
  }

  /** `moved`: at the path is another file, or none. `emptied`: it was cut down. What rotates files does the one or the other. */
  async look(): Promise<"same" | "moved" | "emptied"> {
    const found = await statsOf(this.path);
    if (found?.ino !== this.opened.ino || found.dev !== this.opened.dev) return "moved";
    if (found.size < this.bytes) return "emptied";
    this.bytes = found.size;
    return "same";
  }

  /** In one write; answers how many bytes were written, which are fewer where the disk is full. */
  async append(text: string): Promise<number> {
    const { bytesWritten } = await this.handle.write(Buffer.from(text, "latin1"));
    // Of a pipe or a device nothing is known.
    if (this.opened.isFile()) this.bytes += bytesWritten;
    return bytesWritten;
  }

  /** Until it has reached the disk. */
  async sync(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      if (!cannotSync(error)) throw error;
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
