-- Up to where the log had come when a derived table last took rows: as long as `changed` is the same, nothing in the table is new.
ALTER TABLE watermarks ADD COLUMN IF NOT EXISTS changed UInt64;
