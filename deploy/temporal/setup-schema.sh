#!/bin/sh
# Creates or updates Temporal's own two databases. Safe to run again; the address and user come from SQL_*.
set -eu
schemas=/etc/temporal/schema/postgresql/v12
for name in temporal visibility; do
  database=temporal
  [ "$name" = temporal ] || database=temporal_visibility
  temporal-sql-tool --db "$database" create
  temporal-sql-tool --db "$database" setup-schema --version 0.0
  temporal-sql-tool --db "$database" update-schema --schema-dir "$schemas/$name/versioned"
done
