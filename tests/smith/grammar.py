"""Statements about what is guarded, made from nothing.

The corpus has the tricks that somebody thought of; this makes what nobody
would write. Most of it must be something that PostgreSQL would run, or its
refusal would hide ours; so names come from the scope that they stand in.
"""

# What policy.json guards, what is made of it, and a few open tables beside. Column lists are filled in by the caller.
GUARDED = ["public.users", "public.products", "public.payments", "public.stores", "public.reviews", "public.documents"]
OVER = ["public.v_active_users", "public.v_users_all", "public.v_contacts", "public.v_contacts2", "public.v_where_ssn", "public.v_row",
        "public.v_json", "public.v_sub", "public.v_const", "api.me", "api.users", "reporting.product_ratings", "reporting.staff_costs",
        "public.v_sales_daily", "public.mv_sales", "public.events", "public.region_sales_eu"]
CLOSED = ["public.payroll", "secret.api_keys", "public.mv_payroll", "public.v_payroll", "public.hr_base", "public.region_sales",
          "secret.plans", "public.ft_people", "public.v_keys"]
OPEN = ["public.orders", "public.employees", "public.countries", "public.ssn_guess", "public.order_items", "public.categories",
        "public.settings", "public.badges", "public.keyed", "public.tickets", "public.v_touch", "public.v_seq", "public.signups", "public.ft_categories",
        "public.metrics", "public.blobs", "public.tenant_docs", "public.v_lock"]
SYSTEM = ["pg_catalog.pg_class", "pg_catalog.pg_attribute", "pg_catalog.pg_stats", "pg_catalog.pg_proc", "pg_catalog.pg_enum",
          "pg_catalog.pg_attrdef", "pg_catalog.pg_constraint", "pg_catalog.pg_views", "pg_catalog.pg_description",
          "information_schema.columns", "pg_catalog.pg_statistic", "pg_catalog.pg_sequences", "pg_catalog.pg_indexes"]

ONE = """row_to_json to_json to_jsonb json_agg jsonb_agg array_agg count max min md5 length upper lower text quote_literal quote_nullable
    concat pg_typeof pg_column_size num_nulls num_nonnulls hstore to_tsvector json_build_array jsonb_build_array array_to_json
    record_out row_security_active reverse initcap bool_or every sum avg ascii octet_length encode sha256 json_typeof jsonb_pretty
    jsonb_strip_nulls json_object_keys jsonb_each jsonb_each_text unnest cardinality array_length format user_ssn log_view full_label cents
    order_total plainto_tsquery soundex digest variance bit_and xmlagg stddev hashtext random nextval setval lastval currval
    pg_get_viewdef pg_get_expr obj_description col_description regexp_matches pg_relation_size to_regclass query_to_xml
    pg_get_indexdef pg_sequence_last_value pg_get_constraintdef pg_stat_get_live_tuples current_setting note""".split()
TYPES = """text varchar char name int int4 int8 bigint numeric float8 bool json jsonb xml bytea regclass regtype oid date timestamptz text[]
    public.users public.products public.email_addr public.audited public.loud record char(3) varchar(4) bit hstore citext money
    tsvector int4range uuid public.pct numeric(12,2) unknown cstring users""".split()
OPERATORS = "<+> >>> !# = <> < > <= >= || ~ ~* !~ ~~ ~~* @> <@ -> ->> #> ? & | + - * / % ^ && <-> @@ IS\\ DISTINCT\\ FROM LIKE ILIKE SIMILAR\\ TO".replace("\\ ", "_").split()
# Functions that know what the system catalogs hold, by OID.
KNOWING = """pg_get_viewdef pg_get_ruledef pg_get_functiondef pg_get_function_sqlbody pg_get_constraintdef pg_get_indexdef pg_get_triggerdef
    pg_get_partition_constraintdef pg_get_partkeydef pg_get_statisticsobjdef pg_get_function_arguments pg_get_function_result obj_description
    shobj_description pg_relation_size pg_total_relation_size pg_sequence_last_value pg_stat_get_live_tuples pg_stat_get_tuples_inserted
    pg_relation_filepath pg_get_function_arg_default pg_partition_root pg_describe_object pg_identify_object pg_get_object_address pg_get_serial_sequence
    pg_sequence_parameters pg_get_publication_tables pg_options_to_table pg_index_column_has_property pg_filenode_relation lo_get regclass text
    format_type pg_table_is_visible pg_stat_get_numscans pg_stat_get_ins_since_vacuum pg_get_replica_identity_index enum_range enum_first""".split()
KNOWN = ["pg_class", "pg_proc", "pg_rewrite", "pg_constraint", "pg_index", "pg_trigger", "pg_attrdef", "pg_type", "pg_statistic_ext", "pg_namespace",
         "pg_largeobject_metadata", "pg_depend", "pg_description", "pg_enum", "pg_sequence", "pg_policy", "pg_attribute", "pg_foreign_table",
         "pg_user_mapping", "pg_inherits", "pg_publication", "pg_opclass", "pg_operator", "pg_cast", "pg_aggregate", "pg_range"]
OIDS = """oid reltype relnamespace adrelid attrelid conrelid objoid objid refobjid indexrelid indrelid ev_class typrelid inhrelid seqrelid polrelid
    tgrelid castfunc enumtypid oprcode ftrelid umserver prolang""".split()
LITERALS = ["NULL", "1", "0", "'9%'", "'u%'", "''", "'a'", "true", "'{}'", "'{\"ssn\":1}'", "'ssn'", "'email'", "'905-35-0685'", "1.5",
            "'{ssn}'", "'users'", "'public.payroll'", "'secret.api_keys'", "current_date", "ARRAY['email','ssn']", "'[]'", "$$x$$", "E'\\x41'", "B'1'",
            "'public.users'::regclass", "interval '1 day'", "'(1,a,b,c)'", "5", "now()"]
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "INNER JOIN", "CROSS JOIN", "NATURAL JOIN", "NATURAL LEFT JOIN", "NATURAL FULL JOIN"]


class Scope:
    """What can be named: alias -> columns."""

    def __init__(self, parent=None):
        self.items, self.ctes = [], list(parent.ctes) if parent else []
        self.parent = parent

    def pick(self, rng):
        scope = self
        while scope.parent and scope.parent.items and (not scope.items or rng.random() < 0.15):
            scope = scope.parent
        return rng.choice(scope.items) if scope.items else ("users", ["ssn", "email", "id"])


class Grammar:
    def __init__(self, rng, columns):
        self.rng, self.columns, self.n = rng, columns, 0

    def one(self, *choices):
        return self.rng.choice(choices)

    def maybe(self, p):
        return self.rng.random() < p

    def alias(self):
        self.n += 1
        return self.one("a%d", "t%d", "x%d", "u%d") % self.n if self.maybe(0.9) else self.one("users", "ssn", "email", "payroll", "u", "pg_catalog", "public")

    # --- relations

    def relation(self):
        r = self.rng.random()
        names = GUARDED if r < 0.6 else OVER if r < 0.75 else OPEN if r < 0.93 else SYSTEM if r < 0.965 else CLOSED
        name = self.rng.choice(names)
        columns = self.columns.get(name, ["id"])
        if name.startswith(("public.", "pg_catalog.")) and self.maybe(0.8):
            name = name.split(".", 1)[1]
        return name, columns

    def item(self, scope, depth):
        r = self.rng.random()
        if scope.ctes and r < 0.25:
            name, columns = self.rng.choice(scope.ctes)
        elif depth > 0 and r < 0.42:
            text, columns = self.derived(scope, depth - 1)
            return text, columns
        elif r < 0.5:
            return self.function_item(scope, depth)
        else:
            name, columns = self.relation()
        alias = self.alias() if self.maybe(0.8) else None
        text = name
        if self.maybe(0.03):
            text = "ONLY " + self.one(name, "(%s)" % name)
        elif self.maybe(0.03):
            text += " *"
        if alias:
            text += self.one(" AS ", " ") + alias
            if self.maybe(0.1):
                columns = ["c%d" % i for i in range(1, self.rng.randint(1, len(columns)) + 1)] + columns[len(columns):]
                text += " (%s)" % ", ".join(columns)
        if self.maybe(0.02):
            text += " TABLESAMPLE bernoulli (100)"
        scope.items.append((alias or name, columns))
        return text, columns

    def derived(self, scope, depth):
        lateral = self.maybe(0.4)
        inner = Scope(scope if lateral else None)
        inner.ctes = list(scope.ctes)
        sql, columns = self.select(inner, depth)
        alias = self.alias()
        text = "%s(%s) AS %s" % ("LATERAL " if lateral else "", sql, alias)
        if self.maybe(0.25):
            columns = ["d%d" % i for i in range(1, self.rng.randint(1, max(1, len(columns))) + 1)]
            text += "(%s)" % ", ".join(columns)
        scope.items.append((alias, columns))
        return text, columns

    def function_item(self, scope, depth):
        alias = self.alias()
        source = self.rng.choice(GUARDED)
        text, columns = self.one(
            ("unnest(ARRAY(SELECT s FROM %s s))" % source, self.columns.get(source, [])),
            ("jsonb_each_text((SELECT to_jsonb(s) FROM %s s LIMIT 1))" % source, ["key", "value"]),
            ("json_populate_recordset(NULL::%s, (SELECT json_agg(s) FROM %s s))" % (source, source), self.columns.get(source, [])),
            ("jsonb_to_recordset((SELECT jsonb_agg(s) FROM %s s))" % source, ["id", "ssn", "email"]),
            ("generate_series(1, 3)", [alias]),
            ("unnest(ARRAY[1,2])", [alias]),
            ("%s(%s)" % (self.rng.choice(ONE), self.expr(Scope(scope), depth - 1)), [alias]),
            ("ROWS FROM (unnest(ARRAY[1]), json_object_keys((SELECT row_to_json(s) FROM %s s LIMIT 1)))" % source, ["c1", "c2"]),
            ("find_user(1)", self.columns.get("public.users", [])))
        text = "%s AS %s" % (text, alias)
        if "to_recordset" in text:
            text += "(id int, ssn text, email text)"
        scope.items.append((alias, columns))
        return text, columns

    def from_(self, scope, depth):
        text, left = self.item(scope, depth)
        while self.maybe(0.4):
            if self.maybe(0.3):
                text += ", " + self.item(scope, depth)[0]
                continue
            join = self.rng.choice(JOINS)
            right, columns = self.item(scope, depth)
            text += " %s %s" % (join, right)
            if "NATURAL" in join or "CROSS" in join:
                continue
            common = [c for c in left if c in columns]
            if common and self.maybe(0.4):
                text += " USING (%s)" % ", ".join(self.rng.sample(common, min(len(common), self.rng.randint(1, 2))))
                if self.maybe(0.2):
                    alias = self.alias()
                    text += " AS " + alias
                    scope.items.append((alias, common))
            else:
                text += " ON " + (self.condition(scope, depth - 1) if self.maybe(0.6) else "true")
        if self.maybe(0.05) and len(scope.items) > 1:
            alias = self.alias()
            everything = [c for _, columns in scope.items for c in columns]
            scope.items[:] = [(alias, everything)]
            text = "(%s) AS %s" % (text, alias)
        return text

    # --- expressions

    def column(self, scope):
        alias, columns = scope.pick(self.rng)
        bare = alias.split(".")[-1]
        if not columns or self.maybe(0.03):
            columns = ["ssn", "email", "credit", "ctid", "tableoid", "xmin", "salary", "mark", "api_key"]
        c = self.rng.choice(columns)
        if self.maybe(0.2):
            hot = [h for h in columns if h in ("ssn", "email", "credit", "sku", "description", "meta", "method", "money_in", "title", "body")]
            c = self.rng.choice(hot) if hot else c
        r = self.rng.random()
        if r < 0.45:
            return "%s.%s" % (bare, c)
        if r < 0.68:
            return c
        if r < 0.76:
            return "(%s).%s" % (bare, c)
        if r < 0.80:
            return "(%s.%s)" % (bare, c)
        if r < 0.88:
            return bare
        if r < 0.90:
            return "(%s).*" % bare
        if r < 0.92:
            return "%s.%s" % (bare, self.rng.choice(ONE))
        if r < 0.95:
            return "ROW(%s.*)" % bare
        if r < 0.97:
            return '"%s"."%s"' % (bare, c)
        return "%s.*" % bare

    def expr(self, scope, depth):
        if depth <= 0 or self.maybe(0.25):
            return self.column(scope) if self.maybe(0.8) else self.rng.choice(LITERALS)
        e = lambda: self.expr(scope, depth - 1)
        kind = self.rng.randrange(24)
        if kind < 4:
            return self.column(scope)
        if kind < 7:
            return "%s(%s)" % (self.rng.choice(ONE), e() if self.maybe(0.9) else e() + ", " + e())
        if kind < 9:
            return self.one("(%s)::%s", "CAST(%s AS %s)") % (e(), self.rng.choice(TYPES))
        if kind < 11:
            return "(%s %s %s)" % (self.comparable(e()), self.rng.choice(OPERATORS).replace("_", " "), self.comparable(e()))
        if kind == 11:
            return "CASE WHEN %s THEN %s ELSE %s END" % (self.condition(scope, depth - 1), e(), e())
        if kind == 12:
            return self.one("coalesce(%s, %s)", "greatest(%s, %s)", "least(%s, %s)", "nullif(%s, %s)", "concat(%s, %s)", "format('%%s %%s', %s, %s)",
                            "json_build_object('a', %s, 'b', %s)", "concat_ws(',', %s, %s)", "ROW(%s, %s)", "ARRAY[%s, %s]", "jsonb_populate_record(%s, to_jsonb(%s))",
                            "json_populate_record(%s, to_json(%s))", "hstore(%s) || hstore(%s)", "string_agg(%s::text, %s::text)",
                            "(%s, %s)", "row_to_json(%s, %s)", "overlay(%s::text placing %s::text from 1)", "json_object_agg(%s, %s)", "populate_record(%s, hstore(%s))") % (e(), e())
        if kind == 13:
            return "(SELECT %s FROM %s)" % self.scalar(scope, depth - 1)
        if kind == 14:
            return "ARRAY(SELECT %s FROM %s)" % self.scalar(scope, depth - 1)
        if kind == 15:
            return self.condition(scope, depth - 1)
        if kind == 16:
            return "%s(%s) OVER (%s)" % (self.one("first_value", "last_value", "lag", "lead", "max", "count", "array_agg", "json_agg"), e(), self.window(scope, depth - 1))
        if kind == 17:
            return "%s OVER (%s)" % (self.one("row_number()", "rank()", "dense_rank()", "ntile(3)", "count(*)"), self.window(scope, depth - 1))
        if kind == 18:
            return self.one("mode() WITHIN GROUP (ORDER BY %s)", "percentile_disc(0.5) WITHIN GROUP (ORDER BY %s)", "array_agg(%s ORDER BY 1)",
                            "count(DISTINCT %s)", "xmlforest(%s AS x)", "xmlelement(name x, %s)", "xmlserialize(content %s AS text)", "extract(year FROM %s)",
                            "trim(both 'a' from %s::text)", "substring(%s::text from 1 for 3)", "position('9' in %s::text)", "(%s) COLLATE \"C\"", "NOT (%s)", "- (%s)",
                            "(%s) AT TIME ZONE 'UTC'", "(%s)[1]", "((%s)::text)::int", "TREAT(%s AS text)") % e()
        if kind == 19:
            return "(to_jsonb(%s) ->> %s)" % (scope.pick(self.rng)[0].split(".")[-1], self.one("'ssn'", "'email'", "'credit'", "'description'", "'money_in'", "'id'"))
        if kind == 20:
            return "%s FILTER (WHERE %s)" % (self.one("count(*)", "max(%s)" % e(), "json_agg(%s)" % e()), self.condition(scope, depth - 1))
        if kind == 21:
            return "(%s).%s" % (e(), self.one("ssn", "email", "*", "id", "f1", "a", "description", "row_to_json", "text"))
        return self.rng.choice(LITERALS)

    def window(self, scope, depth):
        return self.one("ORDER BY %s", "PARTITION BY %s", "PARTITION BY %s ORDER BY 1", "ORDER BY %s DESC ROWS 2 PRECEDING") % self.expr(scope, depth)

    def scalar(self, scope, depth):
        inner = Scope(scope)
        source = self.from_(inner, depth)
        return self.expr(inner, depth), source + (" WHERE " + self.condition(inner, depth) if self.maybe(0.4) else "") + (" LIMIT 1" if self.maybe(0.6) else "")

    def condition(self, scope, depth):
        e = lambda: self.comparable(self.expr(scope, depth - 1))
        kind = self.rng.randrange(12)
        if kind < 4:
            return "%s %s %s" % (e(), self.one("=", "<", ">", "<>", "<=", "LIKE", "~", "IS DISTINCT FROM"), e())
        if kind == 4:
            return "%s IS %sNULL" % (e(), self.one("", "NOT "))
        if kind == 5:
            return "EXISTS (SELECT %s FROM %s)" % self.scalar(scope, depth - 1)
        if kind == 6:
            return "%s %s (SELECT %s FROM %s)" % ((e(), self.one("IN", "NOT IN", "= ANY", "> ALL")) + self.scalar(scope, depth - 1))
        if kind == 7:
            return "%s BETWEEN %s AND %s" % (e(), e(), e())
        if kind == 8:
            return "(%s, %s) %s (%s, %s)" % (e(), e(), self.one("=", "<", "IS DISTINCT FROM"), e(), e())
        if kind == 9 and depth > 0:
            return "(%s %s %s)" % (self.condition(scope, depth - 1), self.one("AND", "OR"), self.condition(scope, depth - 1))
        if kind == 10:
            return "%s IN (%s, %s)" % (e(), e(), e())
        return "%s = %s" % (self.comparable(self.column(scope)), self.comparable(self.column(scope)))

    def comparable(self, text):
        """Most pairs of types have no operator: text has, and everything becomes text."""
        return "(%s)::text" % text if self.maybe(0.7) and not text.endswith("*") else text

    # --- queries

    def targets(self, scope, depth):
        r = self.rng.random()
        if r < 0.12:
            return "*", [c for _, columns in scope.items for c in columns]
        names, parts = [], []
        for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3))):
            alias, columns = scope.pick(self.rng)
            bare = alias.split(".")[-1]
            if self.maybe(0.1):
                parts.append(bare + ".*")
                names += columns
                continue
            text = self.expr(scope, depth)
            if self.maybe(0.4):
                name = self.one("a", "b", "c", "email", "ssn", "id", "body")
                text += " AS " + name
            else:
                name = text.split(".")[-1] if text.replace(".", "").replace("_", "").isalnum() else "a"
            names.append(name)
            parts.append(text)
        return ", ".join(parts), names

    def core(self, scope, depth):
        source = self.from_(scope, depth)
        targets, names = self.targets(scope, depth)
        sql = "SELECT %s%s FROM %s" % (self.one("", "", "", "", "DISTINCT ", "ALL ", "DISTINCT ON (%s) " % self.expr(scope, 0)), targets, source)
        if self.maybe(0.35):
            sql += " WHERE " + self.condition(scope, depth)
        if self.maybe(0.12):
            sql += " GROUP BY " + self.one("1", "%s", "ROLLUP (%s)", "GROUPING SETS ((%s), ())", "%s, 1").replace("%s", self.expr(scope, 0).replace("%", "%%"))
            if self.maybe(0.3):
                sql += " HAVING " + self.condition(scope, depth - 1)
        return sql, names

    def select(self, scope, depth):
        with_ = ""
        if depth > 0 and self.maybe(0.2):
            name = self.one("w", "users", "m", "payroll", "cte", "api_keys")
            inner, columns = self.select(Scope(scope), depth - 1)
            heading = name
            if self.maybe(0.2):
                columns = ["w%d" % i for i in range(1, max(1, len(columns)) + 1)]
                heading += "(%s)" % ", ".join(columns)
            with_ = "WITH %s%s AS %s(%s) " % (self.one("", "", "RECURSIVE "), heading, self.one("", "", "MATERIALIZED ", "NOT MATERIALIZED "), inner)
            scope.ctes.append((name, columns))
        sql, names = self.core(scope, depth)
        if self.maybe(0.1):
            other = Scope(scope.parent)
            other.ctes = list(scope.ctes)
            sql += " %s %s" % (self.one("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL"), self.one(self.core(other, depth)[0], "TABLE " + self.relation()[0]))
        if self.maybe(0.2):
            sql += " ORDER BY " + self.one("1", self.expr(scope, 0), self.expr(scope, depth - 1), "1 DESC")
        if self.maybe(0.15):
            sql += " " + self.one("LIMIT 3", "OFFSET 2", "FETCH FIRST 2 ROWS WITH TIES", "LIMIT 10 OFFSET 1")
        return with_ + sql, names

    def about_catalogs(self):
        catalog = self.rng.choice(KNOWN)
        have = self.columns.get("pg_catalog." + catalog, ["oid"])
        oids = [c for c in have if c in OIDS] or ["oid"]
        f = self.rng.choice(KNOWING)
        argument = self.one("k.%s", "k.%s", "k.%s::oid", "k.%s + 0", "(SELECT k.%s)", "k.%s::regclass", "k.%s::text") % self.rng.choice(oids)
        value = self.one("%s(%s)", "%s(%s)", "%s(%s, true)", "%s(%s, 0, true)", "%s(%s, 1)", "%s(%s, 'pg_class')", "%s(1259, %s, 0)") % (f, argument)
        if self.maybe(0.25):
            value = "(%s).%s" % (argument, f)
        elif self.maybe(0.3):
            value = "k." + self.rng.choice(have)
        value = self.one("%s", "%s", "(%s)::text", "md5((%s)::text)", "ARRAY[%s]", "to_json(%s)", "string_agg((%s)::text, ',')", "coalesce((%s)::text, '')") % value
        source = self.one("%s k", "%s k", "%s AS k", "(SELECT * FROM %s) k", "(TABLE %s) k", "ONLY %s k", "%s k LEFT JOIN pg_class c ON false",
                          "pg_class c LEFT JOIN %s k ON true") % catalog
        sql = "SELECT %s%s FROM %s" % (self.one("", "", "k.*, ", "k, "), value, source)
        return sql + self.one("", " WHERE k.%s > 16383" % oids[0], " ORDER BY 1 DESC", " OFFSET 900", " WHERE k.%s > 16383 ORDER BY 1" % oids[0], " ORDER BY k.%s DESC" % oids[0])

    # --- writes: what is hidden could come out by what is written, and RETURNING

    def written(self):
        name = self.one(*(GUARDED + ["public.orders", "public.settings", "public.categories", "public.users", "public.users", "public.ssn_guess", "public.employees"]))
        columns = self.columns.get(name, ["id"])
        alias = self.alias() if self.maybe(0.6) else name.split(".")[1]
        scope = Scope()
        scope.items.append((alias, columns))
        return name, columns, alias, scope, "%s AS %s" % (name, alias) if alias != name.split(".")[1] else name

    def returning(self, scope):
        return " RETURNING " + self.one("*", "1", self.expr(scope, 1), self.expr(scope, 1), self.column(scope), self.expr(scope, 2)) if self.maybe(0.5) else ""

    def sets(self, columns, scope, depth):
        wanted = [c for c in columns if c not in ("id", "emp_id", "net_price")] or columns
        c = self.rng.choice(wanted)
        value = self.one("(%s)::text", "%s", "left((%s)::text, 2)", "length((%s)::text)") % self.expr(scope, depth)
        return self.one("%s = %s", "%s = %s", "(%s) = ROW(%s)", "%s = (SELECT %s)") % (c, value)

    def dml(self):
        name, columns, alias, scope, target = self.written()
        kind, depth = self.rng.randrange(6), self.one(0, 1, 1, 2)
        if kind == 0:
            text = "UPDATE %s SET %s" % (target, self.sets(columns, scope, depth))
        elif kind == 1:
            source = self.from_(scope, 1)
            text = "UPDATE %s SET %s FROM %s" % (target, self.sets(columns, scope, depth), source)
        elif kind == 2:
            text = "DELETE FROM %s%s" % (target, " USING " + self.from_(scope, 1) if self.maybe(0.5) else "")
        elif kind == 3:
            source = self.item(scope, 1)[0]
            text = "MERGE INTO %s USING %s ON %s WHEN MATCHED%s THEN %s" % (
                target, source, self.condition(scope, depth), " AND " + self.condition(scope, 1) if self.maybe(0.4) else "",
                self.one("DELETE", "UPDATE SET " + self.sets(columns, scope, depth), "DO NOTHING"))
            if self.maybe(0.3):
                text += " WHEN NOT MATCHED THEN INSERT (%s) VALUES (%s)" % (self.rng.choice(columns), self.expr(scope, 1))
            return text
        else:
            return self.insert(columns, scope, target, depth)
        if self.maybe(0.6):
            text += " WHERE " + self.condition(scope, depth)
        text += self.returning(scope)
        return "WITH w AS (%s) %s" % (text, self.one("SELECT * FROM w", "SELECT 1 FROM " + self.relation()[0], "SELECT w FROM w")) if self.maybe(0.1) else text

    def insert(self, columns, scope, target, depth):
        if self.maybe(0.5):  # into a table that takes any text
            target, columns = "public.settings AS s1", ["key", "value"]
            scope.items[:] = [("s1", columns)]
            inner = Scope()
            source = self.from_(inner, 1)
            text = "INSERT INTO %s (key, value) SELECT (%s)::text, (%s)::text FROM %s" % (target, self.expr(inner, depth), self.expr(inner, depth), source)
            if self.maybe(0.4):
                text += " WHERE " + self.condition(inner, 1)
        else:
            text = "INSERT INTO %s (%s) %s" % (target, ", ".join(self.rng.sample(columns, min(2, len(columns)))),
                                               self.one("VALUES (%s, %s)" % (self.rng.choice(LITERALS), self.rng.choice(LITERALS)), self.select(Scope(), 1)[0]))
        if self.maybe(0.5):
            text += " ON CONFLICT %s" % self.one("DO NOTHING", "(%s) DO UPDATE SET %s" % (columns[0], self.sets(columns, scope, depth)),
                                                 "(%s) DO UPDATE SET %s = excluded.%s WHERE %s" % (columns[0], columns[-1], columns[-1], self.condition(scope, 1)))
        return text + self.returning(scope)

    def statement(self):
        self.n = 0
        if self.maybe(0.04):
            return self.about_catalogs()
        if self.maybe(0.01):
            return "TABLE " + self.relation()[0]
        return self.select(Scope(), self.rng.choice((0, 1, 1, 2, 2, 3)))[0]
