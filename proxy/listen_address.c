#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"

/* --- parsing ------------------------------------------------------------ */

static bool
parse_unix(const char *path, struct listen_address *a, struct err *err)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)(void *)&a->addr;
	struct stat st;

	if (path[0] != '/')
		return err_set(err, "listen address \"unix:%s\": expected an absolute path", path);
	if (strlen(path) >= sizeof(sun->sun_path))
		return err_set(
		    err, "listen address \"unix:%s\": the path is longer than %zu bytes", path, sizeof(sun->sun_path) - 1);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(
		    err, "listen address \"unix:%s\": is a directory; clients look for unix:%s/.s.PGSQL.5432 in it", path, path);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, strlen(path) + 1);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	snprintf(a->text, sizeof(a->text), "unix:%s", path);
	return true;
}

/* Splits "HOST:PORT" and "[HOST]:PORT". */
static bool
split_port(const char *text, char *host, size_t room, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t n;

	if (colon == NULL || (n = (size_t)(colon - text)) == 0 || n >= room)
		return false;
	*port = colon + 1;
	if (text[0] == '[') {
		if (n < 3 || text[n - 1] != ']')
			return false;
		memcpy(host, text + 1, n - 2);
		host[n - 2] = '\0';
		return true;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	return strchr(host, ':') == NULL; /* an IPv6 address without brackets: which colon is it? */
}

static bool
port_ok(const char *port)
{
	char *end;
	long n = strtol(port, &end, 10);

	return port[0] >= '0' && port[0] <= '9' && *end == '\0' && n <= 65535;
}

/* All addresses: both families by one socket where there is IPv6. */
static const char *
wildcard(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return "0.0.0.0";
	close(fd);
	return "::";
}

static void
note_text(struct listen_address *a)
{
	char host[INET6_ADDRSTRLEN + 16] = "?", port[8] = "?";

	if (a->addr.ss_family == AF_UNIX)
		return;
	getnameinfo((struct sockaddr *)&a->addr, a->len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(a->text, sizeof(a->text), a->addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool
listen_address_parse(const char *text, struct listen_address *out, struct err *err)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM
	};
	struct listen_address a = { 0 };
	struct addrinfo *found;
	const char *port;
	char host[256];
	int why;

	if (strncmp(text, "unix:", 5) == 0) {
		if (!parse_unix(text + 5, &a, err))
			return false;
		*out = a;
		return true;
	}
	if (!split_port(text, host, sizeof(host), &port) || !port_ok(port))
		return err_set(err, "listen address \"%s\": expected HOST:PORT, [::1]:PORT, *:PORT or unix:PATH", text);
	why = getaddrinfo(strcmp(host, "*") == 0 ? wildcard() : host, port, &hints, &found);
	if (why != 0)
		return err_set(err, "listen address \"%s\": %s", text, gai_strerror(why));
	memcpy(&a.addr, found->ai_addr, found->ai_addrlen);
	a.len = found->ai_addrlen;
	freeaddrinfo(found);
	note_text(&a);
	*out = a;
	return true;
}

/* --- sockets ------------------------------------------------------------ */

static bool
somebody_answers(const struct listen_address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (fd < 0)
		return true;
	yes = connect(fd, (const struct sockaddr *)&a->addr, a->len) == 0 || errno == EAGAIN;
	close(fd);
	return yes;
}

static bool
bind_unix(int fd, const struct listen_address *a, mode_t mode, struct err *err)
{
	const char *path = ((const struct sockaddr_un *)(const void *)&a->addr)->sun_path;
	struct stat st;

	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return err_set(err, "%s: is there already and is not a socket", a->text);
		if (somebody_answers(a))
			return err_set(err, "%s: somebody else is listening there", a->text);
		unlink(path);
	}
	if (bind(fd, (const struct sockaddr *)&a->addr, a->len) < 0)
		return err_set(err, "%s: %s", a->text, strerror(errno));
	if (chmod(path, mode) < 0)
		return err_set(err, "%s: mode %04o: %s", a->text, (unsigned)mode, strerror(errno));
	return true;
}

static bool
bind_tcp(int fd, struct listen_address *a, bool share, struct err *err)
{
	const int on = 1, off = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return err_set(err, "%s: SO_REUSEPORT: %s", a->text, strerror(errno));
	if (bind(fd, (struct sockaddr *)&a->addr, a->len) < 0)
		return err_set(err, "%s: %s", a->text, strerror(errno));
	return true;
}

static bool
listen_on(int fd, struct listen_address *a, mode_t unix_mode, struct err *err)
{
	bool bound = a->addr.ss_family == AF_UNIX ? bind_unix(fd, a, unix_mode, err) : bind_tcp(fd, a, true, err);
	socklen_t len = sizeof(a->addr);

	if (!bound)
		return false;
	if (listen(fd, SOMAXCONN) < 0)
		return err_set(err, "%s: %s", a->text, strerror(errno));
	if (a->addr.ss_family != AF_UNIX) {
		getsockname(fd, (struct sockaddr *)&a->addr, &len);
		note_text(a);
	}
	return true;
}

int
listen_open(struct listen_address *a, mode_t unix_mode, struct err *err)
{
	int fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		err_set(err, "%s: %s", a->text, strerror(errno));
		return -1;
	}
	if (!listen_on(fd, a, unix_mode, err)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool
listen_probe(const struct listen_address *a, struct err *err)
{
	struct listen_address copy = *a;
	bool ok;
	int fd;

	if (a->addr.ss_family == AF_UNIX)
		return true; /* listen_open() looks */
	if ((fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return err_set(err, "%s: %s", a->text, strerror(errno));
	ok = bind_tcp(fd, &copy, false, err);
	close(fd);
	return ok;
}

void
listen_unlink(const struct listen_address *a)
{
	if (a->addr.ss_family == AF_UNIX)
		unlink(((const struct sockaddr_un *)(const void *)&a->addr)->sun_path);
}
