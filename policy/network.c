/* policy/network.c - addresses in the policy's assign list. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "loaded.h"

static bool
parse_address(const char *text, uint8_t address[16], unsigned *width)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, address) == 1) {
		*width = 128;
		return true;
	}
	if (inet_pton(AF_INET, text, address + sizeof(mapped)) != 1)
		return false;
	memcpy(address, mapped, sizeof(mapped));
	*width = 32;
	return true;
}

static bool
parse_bits(const char *text, unsigned width, unsigned *bits)
{
	size_t len = strlen(text);

	if (len == 0 || len > 3 || strspn(text, "0123456789") != len)
		return false;
	*bits = (unsigned)strtoul(text, NULL, 10);
	return *bits <= width;
}

/* Are the first bits equal? */
static bool
same_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || ((a[bytes] ^ b[bytes]) & (uint8_t)(0xff << (8 - rest))) == 0;
}

static void
clear_behind(uint8_t address[16], unsigned bits)
{
	for (unsigned i = 0; i < 128; i++)
		if (i >= bits)
			address[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
}

static bool
parse_range(struct network *n, const char *text, struct err *err)
{
	char host[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint8_t network[16];
	unsigned width;

	if (len >= sizeof(host))
		goto bad;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!parse_address(host, n->address, &width))
		goto bad;
	n->bits = width;
	if (slash != NULL && !parse_bits(slash + 1, width, &n->bits))
		goto bad;
	n->bits += 128 - width;
	memcpy(network, n->address, sizeof(network));
	clear_behind(network, n->bits);
	if (memcmp(network, n->address, sizeof(network)) != 0)
		return err_set(err, "\"%s\" has address bits behind its prefix", text);
	n->kind = NETWORK_RANGE;
	return true;
bad:
	return err_set(err, "expected an address, an address range such as \"10.0.0.0/8\", \"unix\" or \"*\", found \"%s\"", text);
}

bool
network_parse(struct network *n, const char *text, struct err *err)
{
	struct network parsed = { .kind = NETWORK_ANY };

	if (strcmp(text, "unix") == 0)
		parsed.kind = NETWORK_UNIX;
	else if (strcmp(text, "*") != 0 && !parse_range(&parsed, text, err))
		return false;
	*n = parsed;
	return true;
}

bool
network_holds(const struct network *n, const char *client)
{
	uint8_t address[16];
	unsigned width;

	switch (n->kind) {
	case NETWORK_ANY:
		return true;
	case NETWORK_UNIX:
		return strcmp(client, "unix") == 0;
	case NETWORK_RANGE:
		return parse_address(client, address, &width) && same_prefix(n->address, address, n->bits);
	}
	return false;
}
