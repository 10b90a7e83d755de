/** Where archives are. A file is written once, as a whole, and not changed after that. */
export type ArchiveFiles = {
  location: string;
  /** Resolves when the bytes would survive a loss of power. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** `bytes` of them from `start` on; undefined when there is no such file. */
  read(name: string, start: number, bytes: number): Promise<Uint8Array | undefined>;
  remove(name: string): Promise<void>;
};
