import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { createKeyWrap } from '../encryption/key-wrap.ts';
import { createPayloadCipher } from '../encryption/payload-cipher.ts';
import { createFolderFiles } from '../archive/folder-files.ts';
import { createS3Bodies, type S3Options } from '../s3/s3-bodies.ts';
import { createS3Files } from '../s3/s3-files.ts';
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
  readonly WEFT_SECRET_KEY: readonly string[];
  readonly WEFT_SEAL_VALUES: string;
  readonly WEFT_ARCHIVE_STORE: string;
  readonly WEFT_ARCHIVE_FOLDER: string | null;
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
  const archivesToS3 = settings.WEFT_ARCHIVE_STORE === 's3';
  if (archivesToS3 && bucket === null) {
    throw new AppError('SETUP_INCOMPLETE', { detail: 'WEFT_ARCHIVE_STORE is s3, but WEFT_S3_BUCKET is not set' });
  }
  const s3 = bucket === null ? null : s3Options(settings, bucket);
  const folder = settings.WEFT_ARCHIVE_FOLDER;
  return {
    cipher: createPayloadCipher(settings.WEFT_ENCRYPTION_KEYS),
    bodies: s3 && createS3Bodies(s3),
    writesTo: writesToS3 ? 'bodies' : 'table',
    keyWrap: createKeyWrap(settings.WEFT_SECRET_KEY),
    sealAll: settings.WEFT_SEAL_VALUES === 'all',
    archive:
      archivesToS3 && s3
        ? createS3Files({ ...s3, prefix: `${s3.prefix}archive/` })
        : folder === null
          ? null
          : createFolderFiles(folder),
  };
}

function s3Options(settings: PayloadStorageSettings, bucket: string): S3Options {
  const { WEFT_S3_ACCESS_KEY_ID: accessKeyId, WEFT_S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  return {
    bucket,
    prefix: settings.WEFT_S3_PREFIX,
    region: settings.WEFT_S3_REGION,
    endpoint: settings.WEFT_S3_ENDPOINT,
    pathStyle: settings.WEFT_S3_PATH_STYLE,
    credentials: accessKeyId === null || secretAccessKey === null ? null : { accessKeyId, secretAccessKey },
  };
}
