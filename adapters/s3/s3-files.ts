import { AppError } from '../../domain/errors.ts';
import type { ArchiveFiles } from '../archive/archive-files.ts';
import { describeFailure, loadS3, type LoadedS3, type S3Options } from './s3-bodies.ts';

/** One object per file, beside the payloads. */
export function createS3Files(options: S3Options): ArchiveFiles {
  const { bucket: Bucket, prefix } = options;
  const location = `s3://${Bucket}/${prefix}`;
  let loading: Promise<LoadedS3> | undefined;
  const call = async <T>(what: string, work: (parts: LoadedS3) => Promise<T>): Promise<T> => {
    try {
      return await work(await (loading ??= loadS3(options)));
    } catch (error) {
      const detail = `${what}: ${describeFailure(error)}`;
      throw new AppError('PAYLOAD_STORE_UNAVAILABLE', { location, detail }, error);
    }
  };
  const place = (name: string) => ({ Bucket, Key: `${prefix}${name}` });
  return {
    location,
    async write(name, bytes) {
      await call('PUT', ({ client, sdk }) => client.send(new sdk.PutObjectCommand({ ...place(name), Body: bytes })));
    },
    read: (name, start, bytes) =>
      call('GET', async ({ client, sdk }) => {
        try {
          const Range = `bytes=${start}-${start + bytes - 1}`;
          const { Body } = await client.send(new sdk.GetObjectCommand({ ...place(name), Range }));
          return await Body?.transformToByteArray();
        } catch (error) {
          if (error instanceof sdk.NoSuchKey) return undefined;
          throw error;
        }
      }),
    async remove(name) {
      await call('DELETE', ({ client, sdk }) => client.send(new sdk.DeleteObjectCommand(place(name))));
    },
  };
}
