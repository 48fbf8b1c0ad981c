SET app.note = 'x';
SET app.user_id = '1';
SET LOCAL APP.User_Id = '1';
RESET app.user_id;
SET SESSION app.user_id TO DEFAULT;
SELECT set_config('app.user_id', '1', false);
SELECT set_config('App.user_id', '1', true);
UPDATE pg_settings SET setting = '1' WHERE name = 'app.user_id';
-- it may be seen
SHOW app.user_id;
SELECT current_setting('app.user_id');
-- ours may not
SHOW pgmoat.mask_key;
SELECT current_setting('PgMoat.mask_key', true);
SET pgmoat.mask_key = 'x';
SELECT set_config('pgmoat.mask_key', 'x', false);
RESET pgmoat.mask_key;
