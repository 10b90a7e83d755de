import type { S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../domain/errors.ts';
import { payloadHash } from '../../domain/identifiers.ts';
import type { PayloadBodies } from '../../domain/runs/payload-store.ts';

export type S3Options = {
  bucket: string;
  prefix: string;
  region: string | null;
  endpoint: string | null;
  pathStyle: boolean;
  /** Null takes the SDK's credential chain. */
  credentials: { accessKeyId: string; secretAccessKey: string } | null;
};

const CONNECT_MS = 5_000;
const REQUEST_MS = 60_000;
const DELETE_AT_ONCE = 1_000;
const HASH = /^[0-9a-f]{64}$/;

/** One object per payload, named by its hash. */
export function createS3Bodies(options: S3Options): PayloadBodies {
  const { bucket: Bucket, prefix } = options;
  // Loaded by the first use: most processes have no bucket, and the SDK is large.
  let loading: Promise<LoadedS3> | undefined;
  const loaded = () => (loading ??= loadS3(options));
  const nameOf = (hash: string) => `${prefix}${hash}`;
  const location = `s3://${Bucket}/${prefix}`;
  const call = async <T>(what: string, work: (parts: LoadedS3) => Promise<T>): Promise<T> => {
    try {
      return await work(await loaded());
    } catch (error) {
      throw new AppError(
        'PAYLOAD_STORE_UNAVAILABLE',
        { location, detail: `${what}: ${describeFailure(error)}` },
        error,
      );
    }
  };
  return {
    location,
    async write(hash, bytes) {
      await call('PUT', ({ client, sdk }) =>
        client.send(new sdk.PutObjectCommand({ Bucket, Key: nameOf(hash), Body: bytes })),
      );
    },
    read: (hash) =>
      call('GET', async ({ client, sdk }) => {
        try {
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key: nameOf(hash) }));
          return await Body?.transformToByteArray();
        } catch (error) {
          if (error instanceof sdk.NoSuchKey) return undefined;
          throw error;
        }
      }),
    async remove(hashes) {
      for (let start = 0; start < hashes.length; start += DELETE_AT_ONCE) {
        const Objects = hashes.slice(start, start + DELETE_AT_ONCE).map((hash) => ({ Key: nameOf(hash) }));
        const { Errors = [] } = await call('DELETE', ({ client, sdk }) =>
          client.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } })),
        );
        const [first] = Errors;
        if (first) {
          const detail = `DELETE: ${Errors.length} failed, the first with ${first.Code}`;
          throw new AppError('PAYLOAD_STORE_UNAVAILABLE', { location, detail });
        }
      }
    },
    async *list() {
      let ContinuationToken: string | undefined;
      do {
        const request = { Bucket, Prefix: prefix, ContinuationToken };
        const page = await call('LIST', ({ client, sdk }) => client.send(new sdk.ListObjectsV2Command(request)));
        for (const { Key = '', LastModified, Size = 0 } of page.Contents ?? []) {
          const hash = Key.slice(prefix.length);
          if (!HASH.test(hash) || !LastModified) continue;
          yield { hash: payloadHash(hash), modifiedAt: LastModified, bytes: Size };
        }
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
    },
  };
}

export type LoadedS3 = { client: S3Client; sdk: typeof import('@aws-sdk/client-s3') };

export async function loadS3({ region, endpoint, pathStyle, credentials }: S3Options): Promise<LoadedS3> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
  ]);
  const client = new sdk.S3Client({
    requestHandler: new NodeHttpHandler({ connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS }),
    forcePathStyle: pathStyle,
    // Servers other than AWS know no trailing checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null ? {} : { credentials }),
  });
  return { client, sdk };
}

export function describeFailure(error: unknown): string {
  const { name, message, code } = error as Error & { code?: string };
  return [name, code, message].filter((part) => part && part !== 'Error').join(' ');
}
