-- Each statement alone, but all in one session: names are remembered.
PREPARE top AS SELECT id FROM orders ORDER BY total DESC LIMIT 3;
EXECUTE top;
DEALLOCATE top;
EXECUTE top;
-- What was refused was not prepared.
PREPARE wipe AS DELETE FROM orders;
EXECUTE wipe;
-- A cursor lives as long as its transaction.
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM orders;
FETCH 10 FROM c;
COMMIT;
FETCH 10 FROM c;
