SELECT lower(name) FROM public.users u JOIN orders USING (id);
DELETE FROM "Orders";
EXECUTE nobody;
