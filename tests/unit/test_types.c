/* tests/unit/test_types.c - which function, operator or cast PostgreSQL takes.
 *
 * Sentences by hand, and some 2,000 questions that a server has answered:
 * tests/lib/types_oracle.py made them, the catalog that they are asked over
 * and the answers. test_types CATALOG CASES asks others (tests/e2e/types.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"

#define WORDS_MAX 110
#define REACHED_MAX 20000

static const char *catalog_path = "tests/unit/data/types.catalog.json";
static const char *cases_path = "tests/unit/data/types.cases";
static struct catalog *catalog;
static uint32_t path[4];

/* --- what was reported --- */

static struct {
	const struct cat_function *functions[REACHED_MAX];
	const struct cat_type *types[REACHED_MAX];
	size_t nfunctions, ntypes;
} reached;

static void
note_function(void *arg, const struct cat_function *f)
{
	(void)arg;
	if (reached.nfunctions < REACHED_MAX)
		reached.functions[reached.nfunctions++] = f;
}

static void
note_type(void *arg, const struct cat_type *t)
{
	(void)arg;
	if (reached.ntypes < REACHED_MAX)
		reached.types[reached.ntypes++] = t;
}

static const struct type_scope *
scope_new(void)
{
	static struct type_scope s;
	static struct type_memo memo;
	static unsigned unsettled;
	static bool all;

	all = false;
	memset(memo.compared, 0, sizeof(memo.compared)); /* what was reported is not reported again */
	reached.nfunctions = reached.ntypes = 0;
	s = (struct type_scope){ .catalog = catalog,
		.path = path,
		.npath = nitems(path),
		.reach = note_function,
		.reach_type = note_type,
		.compared_all = &all,
		.memo = &memo,
		.unsettled = &unsettled };
	return &s;
}

static bool
was_reached(uint32_t function)
{
	for (size_t i = 0; i < reached.nfunctions; i++)
		if (reached.functions[i]->oid == function)
			return true;
	return false;
}

/* --- questions --- */

static struct value_type
type_written(const char *word)
{
	char name[80];
	const struct cat_type *t;
	size_t n = strlen(word);

	if (*word >= '0' && *word <= '9')
		return (struct value_type){ .type = (uint32_t)strtoul(word, NULL, 10) };
	if (strcmp(word, "unknown") == 0)
		return (struct value_type){ .type = TYPE_UNKNOWN };
	if (strcmp(word, "?") == 0)
		return (struct value_type){ .type = TYPE_ANY };
	snprintf(name, sizeof(name), "%.*s", (int)(n > 2 && word[n - 1] == ']' ? n - 2 : n), word);
	t = types_named(scope_new(), NULL, name);
	if (t == NULL)
		fail_msg("no type %s", name);
	return (struct value_type){ .type = word[n - 1] == ']' ? t->array : t->oid };
}

/* row:int4,badge */
static struct value_type
value_written(char *word)
{
	static struct row_shape shapes[8];
	static struct value_type types[8][8];
	static const char *const names[] = { "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8" };
	static size_t used;
	struct row_shape *shape;
	char *save = NULL;

	if (strncmp(word, "row:", 4) != 0)
		return type_written(word);
	shape = &shapes[used % 8];
	*shape = (struct row_shape){ .names = names, .types = types[used % 8] };
	for (char *t = strtok_r(word + 4, ",", &save); t != NULL && shape->n < 8; t = strtok_r(NULL, ",", &save))
		types[used % 8][shape->n++] = type_written(t);
	used++;
	return (struct value_type){ .type = TYPE_RECORD, .row = shape };
}

struct answer {
	enum call_answer call;
	struct value_type value;
	const struct cat_function *found;
	bool is_call, fits;
	size_t nargs;
};

static void
ask_call(char **words, size_t n, struct answer *a)
{
	struct value_type args[WORDS_MAX];
	const char *names[WORDS_MAX] = { NULL };
	bool named = false;
	struct call call;

	for (size_t i = 3; i < n; i++) {
		char *value = strchr(words[i], '=');

		if (value != NULL) {
			*value++ = '\0';
			names[i - 3] = words[i];
			named = true;
		}
		args[i - 3] = value_written(value != NULL ? value : words[i]);
	}
	call = (struct call){ .schema = strcmp(words[1], "-") == 0 ? NULL : words[1],
		.name = words[2],
		.args = args,
		.arg_names = named ? names : NULL,
		.nargs = n - 3,
		.variadic = *words[0] == 'V',
		.within_group = *words[0] == 'W',
		.attribute = *words[0] == '@' };
	a->is_call = true;
	a->nargs = n - 3;
	a->call = types_call(scope_new(), &call, &a->value, &a->found);
}

static void
ask_operator(char **words, struct answer *a)
{
	const struct value_type left = value_written(words[3]), right = value_written(words[4]);
	const char *schema = strcmp(words[1], "-") == 0 ? NULL : words[1];
	const bool prefix = strcmp(words[3], "0") == 0;

	if (*words[0] == 'A')
		a->value = types_operator_array(scope_new(), schema, words[2], &left, &right);
	else
		a->value = types_operator(scope_new(), schema, words[2], prefix ? NULL : &left, &right);
}

static void
ask_common(char **words, size_t n, struct answer *a)
{
	struct value_type values[WORDS_MAX];

	for (size_t i = 1; i < n; i++)
		values[i - 1] = value_written(words[i]);
	a->value = types_common(scope_new(), values, n - 1);
}

static void
ask_value(char **words, size_t n, struct answer *a)
{
	const struct value_type value = value_written(words[1]);
	const struct type_scope *s = scope_new();

	switch (*words[0]) {
	case 'C':
		a->value = type_written(words[2]);
		s = scope_new();
		types_coerce(s, &value, a->value.type, (enum coercion)atoi(words[3]));
		a->fits = types_coercible(s, value.type, a->value.type, (enum coercion)atoi(words[3]));
		break;
	case '=':
		types_compare(s, &value);
		break;
	case 'P':
	case 'J':
		types_print(s, &value, *words[0] == 'J');
		break;
	case 'S':
		a->value = types_subscript(s, &value, n > 2);
		break;
	case 'D':
		a->fits = types_field(s, &value, words[2], &a->value);
		break;
	default:
		fail_msg("no question %s", words[0]);
	}
}

/*	F schema function type...	V: VARIADIC before the last one, @: value.function
 *	O schema symbol left right	left 0: prefix; A: op ANY (right)
 *	C from to 0|1|2			implicit, assignment, explicit
 *	U type...			their common type
 *	= type, P type, J type		compared, printed, made into JSON
 *	S type [slice], D type field	subscripts, fields
 */
static struct answer
ask(const char *question)
{
	struct answer a = { .fits = true };
	char *text = xstrdup(question), *words[WORDS_MAX] = { NULL }, *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(text, " ", &save); w != NULL && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	if (n < 2) /* also tells the compiler that they are there */
		fail_msg("no question: %s", question);
	if (strchr("FVW@", *words[0]) != NULL)
		ask_call(words, n, &a);
	else if (strchr("OA", *words[0]) != NULL)
		ask_operator(words, &a);
	else if (*words[0] == 'U')
		ask_common(words, n, &a);
	else
		ask_value(words, n, &a);
	free(text);
	return a;
}

/* --- sentences --- */

static const struct row {
	const char *name;
	const char *question;
	const char *type;      /* of the result; "?" open, NULL: not asked, "no": it does not go */
	const char *functions; /* built-in ones are not listed unless they are all there is; "": none that users made */
	const char *types;     /* users' types that are reached; NULL: not asked */
} rows[] = {
	{ "exact argument types settle a call", "F - length text", "int4", "length", "" },
	{ "a user's overload takes what the built-in does not", "F - round float8 int4", "numeric", "round", "" },
	{ "and a literal leads to the built-in", "F - lower unknown", "text", "lower", "" },
	{ "int does not become text, so lower(int) is the user's", "F - lower int4", "text", "lower", "" },
	{ "a literal beside an int is an int", "O - = int4 unknown", "bool", "int4eq", "" },
	{ "LIKE on an int is the user's operator", "O - ~~ int4 unknown", "bool", "int_like", NULL },
	{ "LIKE on text is PostgreSQL's", "O - ~~ text unknown", "bool", "textlike", NULL },
	{ "a composite compared with text finds the user's operator", "O - = address text", "bool", "addr_eq", NULL },
	{ "an operand of any type reports every operator that fits", "O public ~~ ? text", "bool", "int_like ...", NULL },
	{ "op ANY (array) is the element's operator", "A - ~~ int4 text[]", "bool", "int_like", NULL },
	{ "an array literal there is of the left side's type", "A - = int4 unknown", "bool", "int4eq", NULL },
	{ "no operator fits", "O public ~~ point point", "?", "", "" },
	{ "no such schema", "O nowhere = int4 int4", "?", "", "" },

	{ "a literal given to a domain is checked", "C unknown audited 0", "audited", "", "audited" },
	{ "text cast to a domain is checked", "C text audited 2", "audited", "", "audited" },
	{ "a value of the domain is not checked again", "C audited audited 2", "audited", "", "" },
	{ "nor is its way to text", "C audited text 0", "text", "", "" },
	{ "a composite literal has its fields checked", "C unknown audited_pair 2", "audited_pair", "", "audited_pair audited" },
	{ "ROW() as well", "C row:int4,text audited_pair 2", "audited_pair", "", "audited_pair audited" },
	{ "a record that is not spelled out, too", "C record audited_pair 2", "audited_pair", "cast_int cast_text",
	    "audited_pair audited" },
	{ "an array literal has its elements checked", "C unknown audited[] 2", "audited[]", "", "audited _audited" },
	{ "arrays are cast element by element", "C text[] audited[] 2", "audited[]", "", "audited _audited" },
	{ "a range literal has its bounds checked", "C unknown audited_range 2", "audited_range", "", "audited_range audited" },
	{ "a cast function is reported", "C int4 loud 0", "loud", "cast_nothing", "loud" },
	{ "for arrays as well", "C int4[] loud[] 0", "loud[]", "cast_nothing", "_loud" },
	{ "and for fields", "C row:int4 keyed 2", "keyed", "", "keyed" },
	{ "from any type: every cast to it", "C ? loud 0", "loud", "cast_nothing cast_nothing cast_text", "loud" },
	{ "an assignment cast is none without assignment", "C c1 int4 0", "no", "", "" },
	{ "with one it is", "C c1 int4 1", "int4", "cast_int", "" },
	{ "text to an int only when it is written", "C text int4 1", "no", "", "" },
	{ "then it is", "C text int4 2", "int4", "", "" },
	{ "a child's row is a row of the parent", "C child parent 0", "parent", "", NULL },
	{ "not the other way around", "C parent child 2", "no", "", NULL },
	{ "a typed table's row may be one of its type", "C typed c1 0", "c1", "", NULL },
	{ "but of no domain over it", "C typed d_c1 0", "no", "", NULL },

	{ "a type's name is a cast", "F - audited text", "cast audited", "", "audited" },
	{ "in attribute notation, too", "@ - int4 text", "cast int4", "", NULL },
	{ "not where a cast function would be called", "F - loud int4", "nothing", "", NULL },
	{ "name(row) is the column when there is no such function", "F - v loud", "field text", "", NULL },
	{ "not in attribute notation: the caller looked already", "@ - v loud", "nothing", "", NULL },
	{ "attribute notation calls functions", "@ - nextval regclass", "int8", "nextval", NULL },
	{ "and aggregates", "@ - json_agg loud", "json", "json_agg", NULL },
	{ "a schema that is not there has no functions", "F nowhere length text", "nothing", "", NULL },

	{ "missing arguments have defaults", "F - give int4", "text", "give", NULL },
	{ "up to as many as there are", "F - give", "nothing", "", NULL },
	{ "arguments by name", "F - give int4 c=unknown", "text", "give", NULL },
	{ "in any order", "F - give c=text a=int4", "text", "give", NULL },
	{ "no name twice", "F - give int4 a=int4", "nothing", "", NULL },
	{ "no name that is none", "F - give int4 d=int4", "nothing", "", NULL },
	{ "VARIADIC any takes what comes", "F - concat int4 loud unknown badge", "text", "concat", NULL },
	{ "its array form, too", "V - concat text[]", "text", "concat", NULL },
	{ "a polymorphic result is its argument's", "F - array_append badge[] badge", "badge[]", "array_append", NULL },
	{ "arguments meet in a common type", "F - array_append int4[] numeric", "numeric[]", "array_append", NULL },
	{ "or do not", "F - array_append int4[] text", "nothing", "", NULL },
	{ "a range's bound", "F - lower int4range", "int4", "lower", NULL },
	{ "range and multirange", "F - multirange int4range", "int4multirange", "multirange", NULL },
	{ "a user's one as well", "F - multirange audited_range", "audited_multirange", "multirange", NULL },
	{ "an argument of any type leaves one candidate", "F - nextval ?", "int8", "nextval", NULL },
	{ "or several, and their common result", "F - lower ?", "?", "lower lower lower lower cast_text ...", NULL },
	{ "hypothetical sets bring both sides together", "W - rank int4 numeric", "int8", "rank numeric", NULL },

	{ "the common type of a domain and its base", "U audited text", "text", "", "" },
	{ "domains alone stay one", "U audited audited", "audited", "", "" },
	{ "literals alone are text", "U unknown unknown", "text", "", "" },
	{ "numbers widen", "U int4 unknown numeric", "numeric", "", "" },
	{ "categories do not mix", "U int4 text", "?", "", "" },
	{ "a user's implicit cast takes part", "U quiet loud", "loud", "cast_nothing", NULL },
	{ "and could, when one type is open", "U quiet ?", "?", "cast_nothing cast_c1", NULL },
	{ "not across categories", "U int4 ?", "?", "", NULL },

	{ "comparing calls the operator class", "= ckey", NULL, "ckey_cmp ckey_lt", NULL },
	{ "for elements", "= ckey[]", NULL, "ckey_cmp ckey_lt", NULL },
	{ "for fields", "= keyed", NULL, "ckey_cmp ckey_lt", NULL },
	{ "for rows spelled out", "= row:int4,ckey", NULL, "ckey_cmp ckey_lt", NULL },
	{ "for what could be anything", "= ?", NULL, "ckey_cmp ckey_lt", NULL },
	{ "and for no other type", "= row:int4,text,address", NULL, "", NULL },
	{ "built-in comparisons of rows lead there", "O pg_catalog = keyed keyed", "bool", "ckey_cmp ckey_lt", NULL },
	{ "a merge join by a class's operator calls the others", "O - < ckey ckey", "bool", "ckey_cmp ckey_lt", NULL },
	{ "to_json looks up casts", "J badge", NULL, "cast_json", NULL },
	{ "deep inside", "J row:int4,badge[]", NULL, "cast_json", NULL },
	{ "of whatever it may be", "J ?", NULL, "cast_json cast_json", NULL },
	{ "and none for built-in types", "J row:int4,text[]", NULL, "", NULL },
	{ "printing does not", "P badge", NULL, "", NULL },

	{ "an array's element", "S badge[]", "badge", "", NULL },
	{ "its slice", "S badge[] slice", "badge[]", "", NULL },
	{ "a domain over an array", "S d_arr", "int4", "", NULL },
	{ "a vector's slice is an array", "S int2vector slice", "int2[]", "", NULL },
	{ "jsonb", "S jsonb", "jsonb", "", NULL },
	{ "a point", "S point", "float8", "", NULL },
	{ "a composite's field", "D address city", "text", "", NULL },
	{ "through a domain", "D d_c1 a", "int4", "", NULL },
	{ "of a row", "D row:int4,badge f2", "badge", "", NULL },
	{ "none of that name", "D address ssn", "no", "", NULL },
};

static const char *
type_name(uint32_t type)
{
	const struct cat_type *t = type != TYPE_ANY ? catalog_type_of(catalog, type) : NULL;

	return t != NULL ? t->name : "?";
}

static bool
is_answer(const struct answer *a, const char *expect)
{
	static const char *const answers[] = { "", "cast ", "field ", "nothing" };
	char text[160];
	size_t n = strlen(expect);
	const char *found;

	if (!a->fits)
		return strcmp(expect, "no") == 0;
	if (a->is_call && a->call == CALL_NOTHING)
		return strcmp(expect, "nothing") == 0;
	found = type_name(a->value.type);
	if (n > 2 && expect[n - 1] == ']')
		snprintf(text, sizeof(text), "%s_%.*s", "", (int)n - 2, expect);
	else
		snprintf(text, sizeof(text), "%s", expect);
	if (a->is_call && strncmp(text, answers[a->call], strlen(answers[a->call])) != 0)
		return false;
	return strcmp(text + (a->is_call ? strlen(answers[a->call]) : 0), found) == 0;
}

/* Every word is the name of one that was reached, but "...": others of users, too. Without it they are too much. */
static bool
functions_are(const char *expect)
{
	const bool more = strstr(expect, " ...") != NULL;
	char words[400];

	snprintf(words, sizeof(words), " %s ", expect);
	for (size_t i = 0; i < reached.nfunctions; i++) {
		char word[100];
		size_t n = (size_t)snprintf(word, sizeof(word), " %s ", reached.functions[i]->name);
		char *at = strstr(words, word);

		if (at != NULL)
			memset(at + 1, '_', n - 2);
		else if (!more && reached.functions[i]->oid >= FIRST_USER_OID && strstr(expect, reached.functions[i]->name) == NULL)
			return false;
	}
	return strspn(words, " _.") == strlen(words);
}

static bool
types_are(const char *expect)
{
	char *words = xstrdup(expect), *save = NULL;
	bool good = *expect != '\0';

	for (char *w = strtok_r(words, " ", &save); w != NULL && good; w = strtok_r(NULL, " ", &save)) {
		good = false;
		for (size_t i = 0; i < reached.ntypes && !good; i++)
			good = strcmp(reached.types[i]->name, w) == 0;
	}
	for (size_t i = 0; i < reached.ntypes && *expect == '\0'; i++)
		if (reached.types[i]->oid >= FIRST_USER_OID)
			return free(words), false;
	free(words);
	return good || *expect == '\0';
}

static void
print_reached(void)
{
	for (size_t i = 0; i < reached.nfunctions && i < 20; i++)
		print_message("reached %u %s\n", reached.functions[i]->oid, reached.functions[i]->name);
	for (size_t i = 0; i < reached.ntypes && i < 20; i++)
		print_message("reached type %s\n", reached.types[i]->name);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct answer a = ask(row->question);

	if ((row->type == NULL || is_answer(&a, row->type)) && functions_are(row->functions) &&
	    (row->types == NULL || types_are(row->types)))
		return;
	print_reached();
	fail_msg("%s: answer %d type %s", row->question, (int)a.call, type_name(a.value.type));
}

/* --- what the server said --- */

/* Of PostgreSQL's own ones, the first so many are asked for. */
static bool
all_reached(const char *functions, size_t builtin)
{
	char *end = NULL;

	for (size_t i = 0; functions != NULL && *functions != '\0'; functions = end, i++) {
		const uint32_t oid = (uint32_t)strtoul(functions, &end, 10);

		if (end == functions)
			break;
		if ((i < builtin || oid >= FIRST_USER_OID) && !was_reached(oid))
			return false;
	}
	return true;
}

/* question TAB type TAB functions, the one that is called first */
static bool
agrees(const char *line)
{
	char *copy = xstrdup(line), *save = NULL;
	const char *question = strtok_r(copy, "\t\n", &save), *type = strtok_r(NULL, "\t\n", &save);
	const char *functions = strtok_r(NULL, "\t\n", &save);
	const struct answer a = ask(question);
	bool good = a.fits && !(a.is_call && a.call == CALL_NOTHING) && all_reached(functions, SIZE_MAX);

	/* What defaults do to a polymorphic result is left open. */
	if (a.value.type == TYPE_ANY && a.found != NULL && a.nargs < a.found->nargs)
		type = "-";
	if (a.call == CALL_FOUND && *type != '-')
		good = good && a.value.type == strtoul(type, NULL, 10);
	if (functions != NULL && a.found != NULL)
		good = good && a.found->oid == strtoul(functions, NULL, 10);
	free(copy);
	return good;
}

/* The question with its i-th word replaced by "any type"; caller frees. NULL: it has no such word, or none that may be. */
static char *
with_any(const char *question, size_t i)
{
	struct sb out = { 0 };
	const char *s = question, *end, *name;

	for (; i > 0 && (s = strchr(s, ' ')) != NULL; i--)
		s++;
	if (s == NULL || strcmp(s, "") == 0 || *s == '0')
		return NULL;
	end = s + strcspn(s, " ");
	name = memchr(s, '=', (size_t)(end - s));
	sb_bytes(&out, question, (size_t)((name != NULL ? name + 1 : s) - question));
	sb_char(&out, '?');
	sb_str(&out, end);
	return sb_take(&out);
}

/* One operand after the other could be of any type: what the server took must still be among what is reported. */
static bool
covers(const char *line)
{
	char *copy = xstrdup(line), *save = NULL, *functions;
	const char *question = strtok_r(copy, "\t\n", &save);
	const size_t first = strchr("CU", *question) != NULL ? 1 : 3;
	bool good = true;

	strtok_r(NULL, "\t\n", &save);
	functions = strtok_r(NULL, "\t\n", &save);
	for (size_t i = first; good && i < first + (*question == 'C' ? 1 : 4); i++) {
		char *open = with_any(question, i);

		if (open == NULL)
			break;
		ask(open);
		good = all_reached(functions, strchr("CU", *question) == NULL ? 1 : 0);
		if (!good)
			print_message("%s: too few\n", open);
		free(open);
	}
	free(copy);
	return good;
}

static void
test_cases(void **state)
{
	bool (*const *check)(const char *) = *state;
	FILE *f = fopen(cases_path, "r");
	char *line = NULL;
	size_t room = 0, n = 0, bad = 0;

	if (f == NULL)
		fail_msg("%s: cannot be read", cases_path);
	for (; getline(&line, &room, f) > 0; n++) {
		if (!(*check)(line) && bad++ < 20) {
			print_message("not as the server says: %s", line);
			print_reached();
		}
	}
	free(line);
	fclose(f);
	if (bad > 0 || n < 100)
		fail_msg("%zu of %zu cases are not as the server says", bad, n);
}

/* --- functions of rows --- */

static void
test_out_columns(void **state)
{
	const struct cat_type *badge = types_named(scope_new(), NULL, "badge");
	const struct value_type arg = { .type = badge->oid };
	struct value_type out[2], result;
	const struct cat_function *found = NULL;
	const struct call call = { .name = "twice", .args = &arg, .nargs = 1 };

	(void)state;
	assert_int_equal(types_call(scope_new(), &call, &result, &found), CALL_FOUND);
	assert_non_null(found);
	assert_int_equal(result.type, TYPE_RECORD);
	assert_int_equal(found->nout, 2);
	types_out(scope_new(), found, &arg, 1, out);
	assert_int_equal(out[0].type, badge->oid);
	assert_int_equal(out[1].type, badge->array);
}

static void
test_too_many_arguments(void **state)
{
	static struct value_type args[101];
	struct value_type result;
	const struct call call = { .name = "concat", .args = args, .nargs = 101 };

	(void)state;
	assert_int_equal(types_call(scope_new(), &call, &result, NULL), CALL_NOTHING);
}

/* A row that holds itself twice, thirty levels deep: one visit each, not 2^30. */
static void
test_nested_rows(void **state)
{
	enum { LEVELS = 30 };
	static const char *const names[] = { "a", "b" };
	struct value_type types[LEVELS][2];
	struct row_shape shapes[LEVELS];
	const struct value_type ckey = type_written("ckey"), record = { .type = TYPE_RECORD, .row = &shapes[LEVELS - 1] };

	(void)state;
	for (size_t i = 0; i < LEVELS; i++) {
		const struct value_type inner = i == 0 ? ckey : (struct value_type){ .type = TYPE_RECORD, .row = &shapes[i - 1] };

		types[i][0] = types[i][1] = inner;
		shapes[i] = (struct row_shape){ .n = 2, .names = names, .types = types[i] };
	}
	types_compare(scope_new(), &record);
	assert_true(functions_are("ckey_cmp ckey_lt"));
	types_print(scope_new(), &record, true);
	types_coerce(scope_new(), &record, TYPE_ANY, COERCE_BY_EXPLICIT);
}

static bool
load(void)
{
	static const char *const names[] = { "s1", "pg_catalog", "public", "s2" };
	struct err err;

	if ((catalog = catalog_load(catalog_path, &err)) == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	for (size_t i = 0; i < nitems(path); i++) {
		const struct cat_namespace *ns = catalog_namespace_named(catalog, names[i]);

		if (ns == NULL)
			return false;
		path[i] = ns->oid;
	}
	return true;
}

int
main(int argc, char **argv)
{
	static bool (*const checks[])(const char *) = { agrees, covers };
	struct CMUnitTest tests[nitems(rows) + 5] = {
		{ "functions, operators and casts are those of the server", test_cases, NULL, NULL, (void *)(uintptr_t)&checks[0] },
		{ "an operand of any type hides none of them", test_cases, NULL, NULL, (void *)(uintptr_t)&checks[1] },
		cmocka_unit_test(test_out_columns),
		cmocka_unit_test(test_too_many_arguments),
		cmocka_unit_test(test_nested_rows),
	};
	int failed;

	if (argc == 3) {
		catalog_path = argv[1];
		cases_path = argv[2];
	}
	if (!load())
		return 1;
	for (size_t i = 0; i < nitems(rows); i++)
		tests[i + 5] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	failed = cmocka_run_group_tests_name("types", tests, NULL, NULL);
	catalog_unref(catalog);
	return failed;
}
