-- Up Migration

-- W3C Trace Context of the request that the run comes from; that of the last one where several became one run.
ALTER TABLE run_admissions ADD COLUMN traceparent text;

-- Down Migration

ALTER TABLE run_admissions DROP COLUMN traceparent;
