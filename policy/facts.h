/* policy/facts.h - what a text says, before anyone judges it.
 *
 * The walk writes facts, decide.c reads them in the order in which they were
 * found, judgement.c copies what the audit trail keeps. Each fact is there
 * once, with the place where it was seen first, so that 60,000 equal calls
 * are one. No node type appears here: strings are borrowed from the parse
 * tree until the parser closes, or are literals, or are kept by the facts.
 */
#ifndef FACTS_H
#define FACTS_H

#include "parse.h"
#include "profile.h"

enum fact_type {
	FACT_ACT,       /* something is done: SELECT, DROP TABLE... */
	FACT_RELATION,  /* a relation is read or written */
	FACT_FUNCTION,  /* a function is called by its name */
	FACT_ATTRIBUTE, /* value.name, where name is also a refused function */
	FACT_OPERATOR,  /* OPERATOR(schema.op) outside pg_catalog */
	FACT_SETTING,   /* a setting is changed */
	FACT_SHOWN,     /* a setting is read; its name is "" when it is computed */
	FACT_BOUND,     /* set_config() with parameters: known at Bind */
	FACT_PROBLEM    /* what the walk itself says no to */
};

struct fact {
	enum fact_type type;
	enum statement_kind kind; /* act: what must be allowed */
	enum rule rule;           /* problem */
	bool whereless;           /* act: UPDATE or DELETE of every row */
	bool if_read_only;        /* problem: only when the profile is read-only */
	bool only;                /* relation: ONLY is written, its children are not read */
	int number;               /* relation: enum access; function: arguments written, -1 unknown; bound: the name's parameter */
	int value_number;         /* bound: the value's parameter; 0 when it is constant, as in number */
	int location;             /* byte in the text, -1 unknown */
	const char *schema;       /* "" when not written */
	const char *name;         /* act: "" when it is about nothing with a name */
	const char *what;         /* act, problem: its words, "DROP TABLE" */
	const char *value;        /* setting: as the server would see it, NULL for DEFAULT; problem: why */
};

struct statement_facts {
	struct judged_statement is; /* without its name */
	const char *name;           /* what its effect is about, borrowed; or NULL */
	bool housekeeping;          /* may stand in a handshake batch */
	int at;                     /* where its text begins, blanks and comments included */
	int length;                 /* bytes from there, without the semicolon */
	int location;               /* where its first word begins */
};

#define FACTS_FEW 16

struct facts {
	struct fact *items; /* few, or owned */
	size_t n, room;
	uint32_t *slots; /* owned: hash of items, when there are many; NULL before */
	size_t nslots;
	const struct fact *fatal;           /* the walk stopped here: nothing after it is known */
	struct fact stop;                   /* what fatal points at */
	struct statement_facts *statements; /* one, or owned */
	size_t nstatements;
	char **kept; /* owned strings */
	size_t nkept;
	unsigned *visits; /* borrowed, or NULL: how many nodes of each tag the walk entered, for tests/regress/agree.c */
	struct fact few[FACTS_FEW];
	struct statement_facts one;
};

void facts_init(struct facts *); /* a struct facts does not move after this */
void facts_release(struct facts *);

void facts_add(struct facts *, const struct fact *); /* unless it is there */
const char *facts_keep(struct facts *, char *);      /* takes the string over */

/* Walks all statements of a tree. The profile is asked for the depth limit
 * and for the names that are refused in attribute notation, nothing else. */
void facts_collect(struct facts *, const struct tree *, const char *sql, size_t, const struct profile *);

/* Do both say the same, locations aside? That is what a rewrite must keep. */
bool facts_equal(const struct facts *, const struct facts *);
/* Are they as many statements of the same kinds, and walked to the end? */
bool facts_alike(const struct facts *, const struct facts *);

#endif
