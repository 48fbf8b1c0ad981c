/* agree FILE...: does the hand-written walk enter all that is there?
 *
 * Each file is one statement (or several). libpg_query's protobuf tree of it
 * is walked generically, by its descriptors, and the nodes of the kinds that
 * matter are counted; our walk over the raw tree counts what it enters. For
 * statements that we would let through both must be equal: a child that the
 * walk forgot is a construct that nobody judged (ARCHITECTURE, D1).
 *
 * Prints "not ok - FILE: ..." for each difference, and "N passed, M failed".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "facts.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "nodes.h"

#define BYTES_MAX 20000 /* unpacking protobuf recurses, and packing is quadratic in depth */

struct counted {
	const char *message;
	NodeTag tag;
};

static const struct counted kinds[] = {
	{ "RangeVar", T_RangeVar },
	{ "FuncCall", T_FuncCall },
	{ "SubLink", T_SubLink },
	{ "TypeName", T_TypeName },
	{ "TypeCast", T_TypeCast },
	{ "ColumnRef", T_ColumnRef },
	{ "ParamRef", T_ParamRef },
	{ "AExpr", T_A_Expr },
	{ "AIndirection", T_A_Indirection },
	{ "CollateClause", T_CollateClause },
	{ "CaseExpr", T_CaseExpr },
	{ "BoolExpr", T_BoolExpr },
	{ "MinMaxExpr", T_MinMaxExpr },
	{ "CoalesceExpr", T_CoalesceExpr },
	{ "XmlExpr", T_XmlExpr },
	{ "RangeFunction", T_RangeFunction },
	{ "RangeTableFunc", T_RangeTableFunc },
	{ "RangeTableSample", T_RangeTableSample },
	{ "RangeSubselect", T_RangeSubselect },
	{ "SelectStmt", T_SelectStmt },
	{ "InsertStmt", T_InsertStmt },
	{ "UpdateStmt", T_UpdateStmt },
	{ "DeleteStmt", T_DeleteStmt },
};

struct counts {
	unsigned n[nitems(kinds)];
};

/* --- the generic walk ---------------------------------------------------- */

static void walk_message(const ProtobufCMessage *, struct counts *);

static void
walk_field(const ProtobufCFieldDescriptor *f, const char *at, const char *quantity, struct counts *c)
{
	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		const size_t n = *(const size_t *)(const void *)quantity;
		ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)(const void *)at;

		for (size_t i = 0; i < n; i++)
			walk_message(items[i], c);
		return;
	}
	walk_message(*(const ProtobufCMessage *const *)(const void *)at, c);
}

static bool
is_set(const ProtobufCFieldDescriptor *f, const char *quantity)
{
	return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 || *(const uint32_t *)(const void *)quantity == f->id;
}

static void
walk_message(const ProtobufCMessage *m, struct counts *c)
{
	const char *base = (const char *)m;

	if (m == NULL)
		return;
	for (size_t i = 0; i < nitems(kinds); i++)
		if (strcmp(m->descriptor->short_name, kinds[i].message) == 0)
			c->n[i]++;
	/* FOR UPDATE OF name, SET CONSTRAINTS name: not relations of their own */
	if (strcmp(m->descriptor->short_name, "LockingClause") == 0 || strcmp(m->descriptor->short_name, "ConstraintsSetStmt") == 0)
		return;
	if (strcmp(m->descriptor->short_name, "MultiAssignRef") == 0 && ((const PgQuery__MultiAssignRef *)m)->colno > 1)
		return; /* one source in the raw tree, copied in protobuf */
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		if (is_set(f, base + f->quantifier_offset))
			walk_field(f, base + f->offset, base + f->quantifier_offset, c);
	}
}

static bool
count_generic(const char *text, struct counts *c)
{
	PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(text);
	PgQuery__ParseResult *tree;

	if (parsed.error != NULL) {
		pg_query_free_protobuf_parse_result(parsed);
		return false;
	}
	tree = pg_query__parse_result__unpack(NULL, parsed.parse_tree.len, (const uint8_t *)parsed.parse_tree.data);
	walk_message(&tree->base, c);
	pg_query__parse_result__free_unpacked(tree, NULL);
	pg_query_free_protobuf_parse_result(parsed);
	return true;
}

/* --- ours ---------------------------------------------------------------- */

/* Names of types and objects in DDL are not entered: it is judged by its kind and its relations. */
static bool
is_ddl(const struct judgement *j)
{
	for (size_t i = 0; i < j->nstatements; i++)
		if (j->statements[i].kind == KIND_DDL)
			return true;
	return false;
}

/* True when the text is one that we let through, and so walked in full. */
static bool
count_ours(const struct policy *policy, const char *text, struct counts *c)
{
	const struct profile *p = policy_default_profile(policy);
	struct judgement *j = policy_judge(policy, p, text, strlen(text), JUDGE_SIMPLE);
	const bool passes = j->verdict != VERDICT_BLOCK && !is_ddl(j);
	unsigned visits[2048] = { 0 };
	struct parser parser;
	struct facts facts;
	struct tree tree;

	judgement_unref(j);
	if (!passes)
		return false;
	parser_open(&parser);
	facts_init(&facts);
	facts.visits = visits;
	if (parser_parse(&parser, text, &tree))
		facts_collect(&facts, &tree, text, strlen(text), p);
	for (size_t i = 0; i < nitems(kinds); i++)
		c->n[i] = visits[kinds[i].tag];
	facts_release(&facts);
	tree_release(&tree);
	parser_close(&parser);
	return true;
}

static const char everything[] =
    "{ \"version\": 1, \"profiles\": { \"all\": { \"access_mode\": \"read_write\", \"multi_statement\": \"each\","
    "  \"statements\": { \"allow\": [\"select\", \"insert\", \"update\", \"delete\", \"merge\", \"copy_to\", \"copy_from\","
    "    \"explain\", \"show\", \"set\", \"transaction\", \"cursor\", \"prepare\", \"ddl\"] },"
    "  \"functions\": { \"allow\": [\"*\"], \"volatile\": \"allow\", \"user_defined\": \"allow\" },"
    "  \"writes\": { \"mode\": \"allow\", \"require_where\": false },"
    "  \"limits\": { \"max_rows\": 0, \"max_query_depth\": 3000 } } }, \"default_profile\": \"all\" }";

static char *
read_file(const char *path)
{
	char *text = xmalloc(BYTES_MAX + 1);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, BYTES_MAX, f) : 0;

	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	if (n == 0 || n == BYTES_MAX) {
		free(text);
		return NULL;
	}
	return text;
}

/* 1: equal, 0: different, -1: not compared. */
static int
compare(const struct policy *policy, const char *path, const char *text)
{
	struct counts generic = { { 0 } }, ours = { { 0 } };
	int same = 1;

	if (!count_ours(policy, text, &ours) || !count_generic(text, &generic))
		return -1;
	for (size_t i = 0; i < nitems(kinds); i++)
		if (generic.n[i] != ours.n[i]) {
			printf("not ok - %s: %s: there are %u, the walk entered %u\n", path, kinds[i].message, generic.n[i],
			    ours.n[i]);
			same = 0;
		}
	return same;
}

int
main(int argc, char **argv)
{
	struct sb errors = { 0 };
	struct policy *policy = policy_parse("everything", everything, strlen(everything), &errors);
	unsigned passed = 0, failed = 0;

	if (policy == NULL) {
		fputs(sb_text(&errors), stderr);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		char *text = read_file(argv[i]);
		int same = text != NULL ? compare(policy, argv[i], text) : -1;

		passed += same == 1;
		failed += same == 0;
		free(text);
	}
	policy_unref(policy);
	sb_free(&errors);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
