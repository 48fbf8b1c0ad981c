SELECT 'a;b'; SELECT $$c;d$$; /* e;f */ SELECT 1 -- g;h
; SELECT 2
;
-- A statement that does not parse does not hide the next.
selec 1;
DELETE FROM orders;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b);
\d orders
SELECT 3;
/* a comment that ends */ SELECT 4;
SELECT 'a quote that does not; SELECT 5;
