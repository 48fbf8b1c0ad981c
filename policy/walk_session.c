/* policy/walk_session.c - statements about the session itself: settings,
 * transactions, prepared statements, cursors.
 */
#include "walk.h"

/* --- settings ---------------------------------------------------------- */

/* The server keeps the elements of these lists as quoted identifiers. */
static bool
is_list_of_names(const char *name)
{
	static const char *const lists[] = { "search_path", "temp_tablespaces", "local_preload_libraries",
		"session_preload_libraries", "shared_preload_libraries", "unix_socket_directories" };

	for (size_t i = 0; i < nitems(lists); i++)
		if (strcasecmp(name, lists[i]) == 0)
			return true;
	return false;
}

static bool
is_plain_name(const char *s)
{
	if (*s == '\0' || (*s >= '0' && *s <= '9'))
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_'))
			return false;
	return true;
}

void
sb_identifier(struct sb *sb, const char *s)
{
	sb_char(sb, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			sb_char(sb, '"');
		sb_char(sb, *s);
	}
	sb_char(sb, '"');
}

/* One value, as the server's own flattening would write it. False for what
 * the grammar cannot produce today. */
static bool
append_value(struct sb *sb, const Node *n, bool quote)
{
	const A_Const *c;
	bool interval = n != NULL && IsA(n, TypeCast); /* SET TIME ZONE INTERVAL '...' */

	if (interval)
		n = ((const TypeCast *)n)->arg;
	if (n == NULL || !IsA(n, A_Const) || ((const A_Const *)n)->isnull)
		return false;
	c = (const A_Const *)n;
	switch (nodeTag(&c->val.node)) {
	case T_Integer:
		sb_fmt(sb, "%d", c->val.ival.ival);
		return true;
	case T_Float:
		sb_str(sb, c->val.fval.fval);
		return true;
	case T_Boolean:
		sb_str(sb, c->val.boolval.boolval ? "true" : "false");
		return true;
	case T_String:
		break;
	default:
		return false;
	}
	if (quote && !is_plain_name(c->val.sval.sval))
		sb_identifier(sb, c->val.sval.sval);
	else if (interval)
		sb_fmt(sb, "INTERVAL '%s'", c->val.sval.sval);
	else
		sb_str(sb, c->val.sval.sval);
	return true;
}

static bool
note_set_value(struct walk *w, const VariableSetStmt *s)
{
	struct sb sb = { 0 };
	const bool quote = is_list_of_names(s->name);

	for (int i = 0; s->args != NIL && i < s->args->length; i++) {
		if (i > 0)
			sb_str(&sb, ", ");
		if (!append_value(&sb, s->args->elements[i].ptr_value, quote)) {
			sb_free(&sb);
			return walk_stop(w, RULE_SETTING_DENIED, "SET", "its value is of a kind that is not known", -1);
		}
	}
	sb_str(&sb, "");
	if (sb.text == NULL || sb.bad) {
		sb_free(&sb);
		note_setting(w, "SET", s->name, "", -1);
	} else {
		note_setting(w, "SET", s->name, facts_keep(w->facts, sb_take(&sb)), -1);
	}
	return true;
}

static bool
is_false(const Node *n)
{
	return n != NULL && IsA(n, A_Const) && nodeTag(&((const A_Const *)n)->val.node) == T_Integer &&
	       ((const A_Const *)n)->val.ival.ival == 0;
}

/* SET TRANSACTION and SET SESSION CHARACTERISTICS: isolation level, READ ONLY
 * and DEFERRABLE are harmless. */
static void
note_modes(struct walk *w, const VariableSetStmt *s, const char *what)
{
	for (int i = 0; s->args != NIL && i < s->args->length; i++) {
		const DefElem *d = s->args->elements[i].ptr_value;

		if (strcmp(d->defname, "transaction_read_only") == 0 && is_false(d->arg))
			note_problem(w, RULE_READ_ONLY, what, "this connection is read-only", d->location, true);
	}
}

static bool
walk_set_multi(struct walk *w, const VariableSetStmt *s)
{
	if (strcmp(s->name, "TRANSACTION") == 0)
		note_modes(w, s, "SET TRANSACTION READ WRITE");
	else if (strcmp(s->name, "SESSION CHARACTERISTICS") == 0)
		note_modes(w, s, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
	else
		note_problem(w, RULE_SETTING_DENIED, "SET TRANSACTION SNAPSHOT", "it reads another session's state", -1, false);
	return true;
}

static bool
walk_set(struct walk *w, const VariableSetStmt *s)
{
	note_act(w, KIND_SET, s->kind == VAR_RESET || s->kind == VAR_RESET_ALL ? "RESET" : "SET", NULL, -1, false);
	w->statement->housekeeping = true;
	switch (s->kind) {
	case VAR_SET_VALUE:
		return note_set_value(w, s);
	case VAR_SET_DEFAULT:
	case VAR_RESET:
		note_setting(w, s->kind == VAR_RESET ? "RESET" : "SET", s->name, NULL, -1);
		return true;
	case VAR_SET_MULTI:
		return walk_set_multi(w, s);
	case VAR_SET_CURRENT:
		note_problem(w, RULE_SETTING_DENIED, "SET FROM CURRENT", "its value cannot be known", -1, false);
		return true;
	case VAR_RESET_ALL:
		/* drivers end their reset batches with it; what we pinned came with the startup packet and stays */
		if (!w->batch)
			note_problem(
			    w, RULE_SETTING_DENIED, "RESET ALL", "it is only allowed in a driver's reset batch", -1, false);
		return true;
	}
	return walk_stop(w, RULE_SETTING_DENIED, "SET", "it is of a kind that is not known", -1);
}

static bool
walk_discard(struct walk *w, const DiscardStmt *s)
{
	note_act(w, KIND_SET, "DISCARD", NULL, -1, false);
	w->statement->housekeeping = s->target == DISCARD_PLANS || s->target == DISCARD_SEQUENCES;
	if (s->target == DISCARD_ALL)
		w->statement->is.effect = NAME_DISCARD_ALL;
	if (!w->statement->housekeeping)
		note_problem(w, RULE_STATEMENT_NOT_ALLOWED, s->target == DISCARD_ALL ? "DISCARD ALL" : "DISCARD TEMP",
		    "it changes more than this session's plans", -1, false);
	return true;
}

/* --- transactions ------------------------------------------------------ */

static bool
walk_transaction(struct walk *w, const TransactionStmt *s)
{
	struct judged_statement *is = &w->statement->is;

	note_act(w, KIND_TRANSACTION, node_words((const Node *)s), NULL, -1, false);
	w->statement->housekeeping = true;
	is->begins = s->kind == TRANS_STMT_BEGIN || s->kind == TRANS_STMT_START || s->chain;
	is->ends = s->kind == TRANS_STMT_COMMIT || s->kind == TRANS_STMT_ROLLBACK || s->kind == TRANS_STMT_PREPARE;
	/* the next transaction would inherit a mode that we did not see */
	if (s->chain)
		note_problem(w, RULE_READ_ONLY, s->kind == TRANS_STMT_COMMIT ? "COMMIT AND CHAIN" : "ROLLBACK AND CHAIN",
		    "on a read-only connection every transaction begins with BEGIN", -1, true);
	if (s->kind == TRANS_STMT_PREPARE || s->kind == TRANS_STMT_COMMIT_PREPARED || s->kind == TRANS_STMT_ROLLBACK_PREPARED)
		note_problem(
		    w, RULE_STATEMENT_NOT_ALLOWED, node_words((const Node *)s), "two-phase commit is not for clients", -1, false);
	return true;
}

/* --- names ------------------------------------------------------------- */

static void
set_effect(struct walk *w, enum name_effect effect, const char *name)
{
	w->statement->is.effect = effect;
	w->statement->name = name;
}

static bool
walk_prepare(struct walk *w, const PrepareStmt *s)
{
	note_act(w, KIND_PREPARE, "PREPARE", NULL, -1, false);
	set_effect(w, NAME_PREPARE, s->name);
	return walk_list(w, s->argtypes) && walk_statement(w, s->query);
}

static bool
walk_execute(struct walk *w, const ExecuteStmt *s)
{
	note_act(w, KIND_PREPARE, "EXECUTE", NULL, -1, false);
	set_effect(w, NAME_EXECUTE, s->name);
	return walk_list(w, s->params);
}

static bool
walk_deallocate(struct walk *w, const DeallocateStmt *s)
{
	note_act(w, KIND_PREPARE, "DEALLOCATE", NULL, -1, false);
	w->statement->housekeeping = true;
	set_effect(w, s->name != NULL ? NAME_DEALLOCATE : NAME_DEALLOCATE_ALL, s->name);
	return true;
}

static bool
walk_declare(struct walk *w, const DeclareCursorStmt *s)
{
	note_act(w, KIND_CURSOR, "DECLARE CURSOR", NULL, -1, false);
	set_effect(w, (s->options & CURSOR_OPT_HOLD) != 0 ? NAME_DECLARE_HOLD : NAME_DECLARE, s->portalname);
	return walk_statement(w, s->query);
}

static bool
walk_fetch(struct walk *w, const FetchStmt *s)
{
	note_act(w, KIND_CURSOR, s->ismove ? "MOVE" : "FETCH", NULL, -1, false);
	set_effect(w, NAME_FETCH, s->portalname);
	return true;
}

static bool
walk_close(struct walk *w, const ClosePortalStmt *s)
{
	note_act(w, KIND_CURSOR, "CLOSE", NULL, -1, false);
	w->statement->housekeeping = true;
	set_effect(w, s->portalname != NULL ? NAME_CLOSE : NAME_CLOSE_ALL, s->portalname);
	return true;
}

bool
walk_session(struct walk *w, const Node *n, bool *mine)
{
	*mine = true;
	switch (nodeTag(n)) {
	case T_VariableSetStmt:
		return walk_set(w, (const VariableSetStmt *)n);
	case T_VariableShowStmt:
		note_act(w, KIND_SHOW, "SHOW", NULL, -1, false);
		note_shown(w, "SHOW", ((const VariableShowStmt *)n)->name, -1);
		w->statement->housekeeping = true;
		return true;
	case T_ConstraintsSetStmt:
		note_act(w, KIND_SET, "SET CONSTRAINTS", NULL, -1, false);
		note_problem(w, RULE_READ_ONLY, "SET CONSTRAINTS", "this connection is read-only", -1, true);
		return true;
	case T_DiscardStmt:
		return walk_discard(w, (const DiscardStmt *)n);
	case T_TransactionStmt:
		return walk_transaction(w, (const TransactionStmt *)n);
	case T_PrepareStmt:
		return walk_prepare(w, (const PrepareStmt *)n);
	case T_ExecuteStmt:
		return walk_execute(w, (const ExecuteStmt *)n);
	case T_DeallocateStmt:
		return walk_deallocate(w, (const DeallocateStmt *)n);
	case T_DeclareCursorStmt:
		return walk_declare(w, (const DeclareCursorStmt *)n);
	case T_FetchStmt:
		return walk_fetch(w, (const FetchStmt *)n);
	case T_ClosePortalStmt:
		return walk_close(w, (const ClosePortalStmt *)n);
	case T_ListenStmt:
	case T_NotifyStmt:
		note_act(w, KIND_LISTEN, node_words(n), NULL, -1, false);
		return true;
	case T_UnlistenStmt: /* forgets what cannot have been asked for */
		note_act(w, KIND_SET, "UNLISTEN", NULL, -1, false);
		w->statement->housekeeping = true;
		return true;
	default:
		*mine = false;
		return true;
	}
}
