/* policy/walk.h - one walk over one tree; private to the walk_*.c files.
 *
 * walk() is the switch. Every node that a statement we may let through can
 * hold has its line there; children are entered in the order of the struct;
 * what has no line ends the walk with a refusal. Functions answer whether to
 * go on: false only after walk_stop(). What is merely forbidden is a fact,
 * and the walk goes on, so that the audit trail sees all of the statement.
 */
#ifndef WALK_H
#define WALK_H

#include "facts.h"
#include "scope.h"

#include "nodes.h"

/* Deeper than this we do not go, whatever the policy says: a level costs up to
 * 400 bytes of stack, under ASan four times that, and threads have 8 MB. */
#define WALK_DEPTH_MAX 3000

/* The FROM clause that names like alias.column refer to. Opaque where SQL's
 * rules for what is visible are finer than ours: nothing is found there. */
struct level {
	const List *from;
	const struct level *outer;
	bool opaque;
};

struct walk {
	struct facts *facts;
	struct statement_facts *statement; /* the one that is walked */
	const struct profile *profile;
	struct scope ctes;
	const struct level *level; /* innermost; NULL outside of any */
	int depth, max_depth;
	int budget; /* FROM items and columns that may still be looked at for one alias.column */
	bool batch; /* there are other statements beside this */
};

/* The switch for expressions, FROM items and queries. NULL is fine. */
bool walk(struct walk *, const void *node);
bool walk_list(struct walk *, const List *);

/* The switch for whole statements, at the top or inside EXPLAIN and PREPARE. */
bool walk_statement(struct walk *, const Node *);
bool walk_session(struct walk *, const Node *, bool *mine); /* SET, BEGIN, FETCH...; mine: was one of these */
bool walk_ddl(struct walk *, const Node *, bool *mine);
bool walk_maintenance(struct walk *, const Node *, bool *mine);
bool walk_copy(struct walk *, const CopyStmt *);

/* Queries. */
bool walk_select(struct walk *, const SelectStmt *);
bool walk_insert(struct walk *, const InsertStmt *);
bool walk_update(struct walk *, const UpdateStmt *);
bool walk_delete(struct walk *, const DeleteStmt *);
bool walk_merge(struct walk *, const MergeStmt *);
bool walk_merge_when(struct walk *, const MergeWhenClause *);
bool walk_on_conflict(struct walk *, const OnConflictClause *);
bool walk_with(struct walk *, const WithClause *); /* pushes names; the caller pops */
bool walk_into(struct walk *, const IntoClause *, const char *what);
bool walk_range_function(struct walk *, const RangeFunction *);
bool walk_sample(struct walk *, const RangeTableSample *);

/* Expressions. */
bool walk_func_call(struct walk *, const FuncCall *);
bool walk_operator(struct walk *, const List *name, int location);
bool walk_column(struct walk *, const ColumnRef *);
bool walk_indirection(struct walk *, const List *); /* of a value: fields may be calls */
bool walk_window(struct walk *, const WindowDef *);
bool walk_xml(struct walk *, const XmlExpr *);
bool walk_options(struct walk *, const List *); /* DefElems that hold plain words only */
bool walk_json(struct walk *, const Node *, bool *mine);
bool walk_ddl_part(struct walk *, const Node *, bool *mine); /* columns, constraints, partitions... */

/* Facts. */
void note_act(struct walk *, enum statement_kind, const char *what, const RangeVar *, int location, bool whereless);
void note_relation(struct walk *, const RangeVar *, unsigned access);
void note_named_relation(struct walk *, const List *name, unsigned access);
void note_schema(struct walk *, const char *schema, unsigned access); /* all that is in it */
void note_function(struct walk *, const char *schema, const char *name, int nargs, int location);
void note_setting(struct walk *, const char *what, const char *name, const char *value, int location);
void note_shown(struct walk *, const char *what, const char *name, int location); /* NULL: a computed name */
void note_problem(struct walk *, enum rule, const char *what, const char *why, int location, bool if_read_only);
bool walk_stop(struct walk *, enum rule, const char *what, const char *why, int location); /* always false */

/* Helpers that cannot fail. */
void note_visit(struct walk *, const void *node);
const char *node_words(const Node *);          /* "DROP TABLE"; "this statement" when unknown */
enum statement_kind node_kind(const Node *);   /* of a whole statement */
void sb_identifier(struct sb *, const char *); /* in double quotes */
const char *list_text(const List *, int i);    /* i-th String from the end, 0 the last; "" when it is not there */
bool level_has_column(struct walk *, const char *alias, const char *column);

#endif
