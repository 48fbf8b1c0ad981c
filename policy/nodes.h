/* policy/nodes.h - PostgreSQL's parse nodes, for the few files that read them.
 *
 * postgres.h renames half of C: whoever includes this includes our own
 * headers before it, and nothing of other libraries.
 */
#ifndef POLICY_NODES_H
#define POLICY_NODES_H

#include "postgres.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"

/* libpg_query puts LIMIT_OPTION_DEFAULT first in its enum, PostgreSQL's own
 * header has it last. What counts is the library; the self-test looks. */
enum { LIBRARY_LIMIT_WITH_TIES = 2 };

#endif
