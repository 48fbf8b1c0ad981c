/* policy/builtin.c - the policy that applies without a file: safe on the first run. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static const char builtin[] =
    "// Read-only, catalogs readable except those that leak, 1000 rows, 5 seconds.\n"
    "{\n"
    "  \"version\": 1,\n"
    "  \"mode\": \"enforce\",\n"
    "  \"profiles\": {\n"
    "    \"read_only\": {\n"
    "      \"access_mode\": \"read_only\",\n"
    "      \"statements\": { \"allow\": [\"select\", \"explain\", \"show\", \"set\", \"transaction\", \"cursor\", \"prepare\"] },\n"
    "      \"multi_statement\": \"handshake\",  // session housekeeping only, as drivers send it\n"
    "      \"functions\": { \"volatile\": \"deny\", \"user_defined\": \"deny\" },\n"
    "      \"search_path\": [\"public\"],\n"
    "      \"writes\": { \"mode\": \"deny\", \"require_where\": true },\n"
    "      \"limits\": {\n"
    "        \"max_rows\": 1000, \"max_result_bytes\": \"16MB\", \"on_cap\": \"notice\",\n"
    "        \"statement_timeout\": \"5s\", \"lock_timeout\": \"1s\",\n"
    "        \"idle_in_transaction_timeout\": \"30s\", \"transaction_timeout\": \"60s\",\n"
    "        \"max_query_bytes\": \"512kB\", \"max_query_depth\": 500,\n"
    "      },\n"
    "    },\n"
    "  },\n"
    "}\n";

struct policy *
policy_builtin(void)
{
	struct sb errors = { 0 };
	struct policy *p = policy_parse("built-in policy", builtin, strlen(builtin), &errors);

	if (p == NULL) /* the text above is wrong: test_load says where */
		abort();
	sb_free(&errors);
	return p;
}
