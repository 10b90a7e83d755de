import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { createPayloadCipher } from '../encryption/payload-cipher.ts';
import { createS3Bodies } from '../s3/s3-bodies.ts';
import type { PayloadStorage } from './payload-storage.ts';
import { createPool } from './pool.ts';

/** Those of the settings that say how values are stored. */
export type PayloadStorageSettings = {
  readonly WEFT_ENCRYPTION_KEYS: readonly string[];
  readonly WEFT_PAYLOAD_STORE: string;
  readonly WEFT_S3_BUCKET: string | null;
  readonly WEFT_S3_PREFIX: string;
  readonly WEFT_S3_REGION: string | null;
  readonly WEFT_S3_ENDPOINT: string | null;
  readonly WEFT_S3_PATH_STYLE: boolean;
  readonly WEFT_S3_ACCESS_KEY_ID: string | null;
  readonly WEFT_S3_SECRET_ACCESS_KEY: string | null;
};
export type DatabaseSettings = PayloadStorageSettings & {
  readonly DATABASE_URL: string;
  readonly CONNECTION_POOL_SIZE: number;
};

/** A pool whose large values are stored as the settings say. @throws AppError SETUP_INCOMPLETE */
export function openDatabase(settings: DatabaseSettings): pg.Pool {
  return createPool(settings.DATABASE_URL, settings.CONNECTION_POOL_SIZE, payloadStorage(settings));
}

/** @throws AppError SETUP_INCOMPLETE */
export function payloadStorage(settings: PayloadStorageSettings): PayloadStorage {
  const { WEFT_S3_BUCKET: bucket, WEFT_S3_ACCESS_KEY_ID: id, WEFT_S3_SECRET_ACCESS_KEY: secret } = settings;
  const writesToS3 = settings.WEFT_PAYLOAD_STORE === 's3';
  if (writesToS3 && bucket === null) {
    throw new AppError('SETUP_INCOMPLETE', { detail: 'WEFT_PAYLOAD_STORE is s3, but WEFT_S3_BUCKET is not set' });
  }
  if ((id === null) !== (secret === null)) {
    const detail = 'WEFT_S3_ACCESS_KEY_ID and WEFT_S3_SECRET_ACCESS_KEY go together: set both or none';
    throw new AppError('SETUP_INCOMPLETE', { detail });
  }
  const bodies =
    bucket === null
      ? null
      : createS3Bodies({
          bucket,
          prefix: settings.WEFT_S3_PREFIX,
          region: settings.WEFT_S3_REGION,
          endpoint: settings.WEFT_S3_ENDPOINT,
          pathStyle: settings.WEFT_S3_PATH_STYLE,
          credentials: id === null || secret === null ? null : { accessKeyId: id, secretAccessKey: secret },
        });
  return {
    cipher: createPayloadCipher(settings.WEFT_ENCRYPTION_KEYS),
    bodies,
    writesTo: writesToS3 ? 'bodies' : 'table',
  };
}
