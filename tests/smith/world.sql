-- world.sql: what is hidden gets its values, the same ones again (-v v=a) or others of the same length (-v v=b).
--
-- Two databases that were given the two differ in nothing that policy.json lets
-- be seen; so an allowed statement that answers differently has felt what is hidden.
-- Both are written anew, row by row, so that they lie on disk alike, too.
SET session_replication_role = replica;
SELECT :'v' = 'b' AS other \gset

CREATE FUNCTION pg_temp.other(t text, other boolean) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN other THEN translate(t, '0123456789abcdef', '9876543210fedcba') ELSE t END $$;

-- Marks where the fixture has none that could be searched for.
UPDATE public.tenant_docs SET body = 'doc b' WHERE tenant = 'b';	-- row-level security does not hold for a superuser
UPDATE public.users SET credit = id + 888800.17;
UPDATE public.products SET description = left(description, 2) || 'MASKX_' || md5(sku);
UPDATE public.payments SET meta = jsonb_build_object('m', 'MASKN_' || md5(id::text)), method = 'MASKR_' || md5(id::text);
UPDATE public.reviews SET title = 'ROWF_' || md5(title), body = 'ROWF_' || md5(body) WHERE rating > 3;
UPDATE public.documents SET title = 'ROWF_' || md5(title), body = 'ROWF_' || md5(body), tsv = 'rowf' WHERE id > 20;
VACUUM (FREEZE, ANALYZE);

UPDATE public.users SET ssn = '9' || pg_temp.other(substr(ssn, 2), :'other'),
    email = left(email, 1) || CASE WHEN :'other' THEN translate(split_part(email, '@', 1), 'user0123456789', 'xyzw9876543210') ELSE split_part(email, '@', 1) END || '@' || split_part(email, '@', 2),
    credit = CASE WHEN :'other' THEN 88898.17 - id / 10.0 ELSE credit END;
UPDATE public.products SET description = left(description, 8) || pg_temp.other(substr(description, 9), :'other');
UPDATE public.payments SET meta = jsonb_build_object('m', pg_temp.other(meta ->> 'm', :'other')), method = pg_temp.other(method, :'other');
UPDATE public.stores SET money_in = CASE WHEN :'other' THEN (7000 + id)::money ELSE money_in END;
UPDATE public.reviews SET title = 'ROWF_' || pg_temp.other(substr(title, 6), :'other'), body = 'ROWF_' || pg_temp.other(substr(body, 6), :'other'),
    rating = CASE WHEN :'other' THEN 9 - rating ELSE rating END WHERE rating > 3;
UPDATE public.documents SET title = 'ROWF_' || pg_temp.other(substr(title, 6), :'other'), body = 'ROWF_' || pg_temp.other(substr(body, 6), :'other') WHERE id > 20;
UPDATE public.payroll SET mark = pg_temp.other(mark, :'other'), iban = pg_temp.other(iban, :'other'),
    salary = CASE WHEN :'other' THEN 777799.13 - emp_id ELSE salary END;
UPDATE secret.api_keys SET service = pg_temp.other(service, :'other'), api_key = pg_temp.other(lower(api_key), :'other');
UPDATE secret.plans SET title = pg_temp.other(title, :'other'), body = pg_temp.other(body, :'other');
UPDATE secret.people_vip SET mark = pg_temp.other(mark || '_77', :'other');
UPDATE public.region_sales SET amount = CASE WHEN :'other' THEN 111 ELSE 999 END WHERE region <> 'eu';
REFRESH MATERIALIZED VIEW public.mv_payroll;
SELECT lo_put(424299, 0, CASE WHEN :'other' THEN 'S3CR3T_LARGEOBJEKT'::bytea ELSE 'S3CR3T_LARGEOBJECT' END);
VACUUM (FREEZE);
