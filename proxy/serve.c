#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <poll.h>
#include <unistd.h>

#include "log.h"
#include "session.h"

#define DRAIN_POLL_MS 100

struct serve {
	const struct config *config; /* borrowed */
	struct gateway gateway;
	struct worker **workers; /* owned */
	size_t nworkers;
	struct listen_address *addresses; /* owned; as bound */
	size_t naddresses;
	int *fds; /* owned */
	size_t nfds;
};

/* --- parts -------------------------------------------------------------- */

static struct policy *
load_policy(const struct config *c, struct sb *errors)
{
	return c->policy != NULL ? policy_load(c->policy, errors) : policy_builtin();
}

static bool
wants_tls(const struct config *c)
{
	return c->tls_mode != TLS_DISABLE && c->tls_cert != NULL;
}

static struct tls_server *
load_tls(const struct config *c, struct err *err)
{
	const struct tls_options options = { c->tls_mode, c->tls_cert, c->tls_key, c->tls_ca };

	return tls_server_new(&options, err);
}

/* Where catalogs come from: the servers, a file, or nowhere. */
static bool
open_catalogs(const struct config *c, struct snapshots **snapshots, struct err *err)
{
	struct catalog *fixed = NULL;

	if (strcmp(c->catalog, "off") == 0)
		return true;
	if (strcmp(c->catalog, "server") != 0 && (fixed = catalog_load(c->catalog, err)) == NULL)
		return false;
	*snapshots = snapshots_new(fixed);
	return true;
}

static bool
open_gateway(struct serve *sv, struct err *err)
{
	const struct config *c = sv->config;
	const struct audit_options audit = { .path = c->audit, .redact = c->audit_redact, .on_failure = c->audit_on_failure };
	struct gateway *g = &sv->gateway;
	struct sb errors = { 0 };

	g->config = c;
	pthread_mutex_init(&g->lock, NULL);
	g->directory = directory_new();
	g->halfopen = halfopen_new((size_t)c->max_half_open);
	g->principals = principals_new();
	g->policy = load_policy(c, &errors);
	if (g->policy == NULL) {
		err_set(err, "%s", sb_text(&errors));
		sb_free(&errors);
		return false;
	}
	sb_free(&errors);
	if ((g->upstream = upstream_parse(c->upstream, err)) == NULL)
		return false;
	if (c->auth != AUTH_FIXED && upstream_password(g->upstream) != NULL)
		return err_set(err,
		    "upstream: a password in the URL is not used: clients log in with their own (auth pass or password); "
		    "take it out, or use pgmoat run");
	if (wants_tls(c) && (g->tls = load_tls(c, err)) == NULL)
		return false;
	if (!open_catalogs(c, &g->snapshots, err))
		return false;
	if (c->tls_mode == TLS_REQUIRE && g->tls == NULL)
		return err_set(err, "tls_mode require needs tls_cert and tls_key");
	if (c->audit != NULL && (g->audit = audit_open(&audit, err)) == NULL)
		return false;
	return true;
}

static size_t
worker_count(const struct config *c)
{
	long n = c->workers > 0 ? c->workers : sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

/* Every client takes two descriptors. */
static void
raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* TCP: a socket per worker on the same port. A unix socket is opened once. */
static bool
open_listener(struct serve *sv, size_t i, size_t worker, struct err *err)
{
	struct listen_address *a = &sv->addresses[i];
	int fd;

	if (worker > 0 && a->addr.ss_family == AF_UNIX)
		return worker_listen(sv->workers[worker], sv->fds[i]) || err_set(err, "cannot listen on %s", a->text);
	fd = listen_open(a, (mode_t)sv->config->unix_mode, err);
	if (fd == -1)
		return false;
	sv->fds = xreallocarray(sv->fds, sv->nfds + 1, sizeof(*sv->fds));
	sv->fds[sv->nfds++] = fd;
	return worker_listen(sv->workers[worker], fd) || err_set(err, "cannot listen on %s", a->text);
}

static bool
open_listeners(struct serve *sv, struct err *err)
{
	const struct config *c = sv->config;
	size_t i, w;

	if (c->nlisten == 0)
		return err_set(err, "listen: nothing to listen on; say --listen HOST:PORT or --listen unix:PATH");
	sv->addresses = xcalloc(c->nlisten, sizeof(*sv->addresses));
	for (i = 0; i < c->nlisten; i++) {
		if (!listen_address_parse(c->listen[i], &sv->addresses[i], err))
			return false;
		sv->naddresses++;
	}
	for (i = 0; i < sv->naddresses; i++)
		if (sv->addresses[i].addr.ss_family != AF_UNIX && !listen_probe(&sv->addresses[i], err))
			return false;
	for (w = 0; w < sv->nworkers; w++) /* worker 0 first: a port 0 gets its number there */
		for (i = 0; i < sv->naddresses; i++)
			if (!open_listener(sv, i, w, err))
				return false;
	return true;
}

/* --- life --------------------------------------------------------------- */

static void
serve_free(struct serve *sv)
{
	struct gateway *g = &sv->gateway;
	size_t i;

	for (i = 0; i < sv->nworkers; i++)
		worker_free(sv->workers[i]);
	for (i = 0; i < sv->nfds; i++)
		close(sv->fds[i]);
	for (i = 0; i < sv->naddresses; i++)
		if (sv->nfds > i)
			listen_unlink(&sv->addresses[i]);
	audit_close(g->audit);
	snapshots_free(g->snapshots);
	principals_free(g->principals);
	upstream_free(g->upstream);
	directory_free(g->directory);
	halfopen_free(g->halfopen);
	policy_unref(g->policy);
	tls_server_unref(g->tls);
	pthread_mutex_destroy(&g->lock);
	free(sv->workers);
	free(sv->addresses);
	free(sv->fds);
	free(sv);
}

struct serve *
serve_start(const struct config *c, struct err *err)
{
	struct serve *sv = xcalloc(1, sizeof(*sv));
	size_t i, n = worker_count(c);

	sv->config = c;
	raise_descriptors();
	if (!open_gateway(sv, err))
		goto fail;
	sv->workers = xcalloc(n, sizeof(*sv->workers));
	for (i = 0; i < n; i++, sv->nworkers++)
		if ((sv->workers[i] = worker_new(&sv->gateway, err)) == NULL)
			goto fail;
	if (!open_listeners(sv, err))
		goto fail;
	sv->gateway.workers = sv->workers;
	sv->gateway.nworkers = sv->nworkers;
	for (i = 0; i < n; i++)
		worker_start(sv->workers[i]);
	return sv;
fail:
	serve_free(sv);
	return NULL;
}

const char *
serve_address(const struct serve *sv, size_t i)
{
	return i < sv->naddresses ? sv->addresses[i].text : NULL;
}

void
serve_stop(struct serve *sv)
{
	size_t i;

	if (sv == NULL)
		return;
	for (i = 0; i < sv->nworkers; i++)
		worker_stop(sv->workers[i]);
	serve_free(sv);
}

/* --- reload ------------------------------------------------------------- */

struct fresh {
	struct policy *policy;
	struct tls_server *tls;
};

static void
adopt(struct worker *w, void *arg)
{
	struct fresh *f = arg;

	policy_unref(w != NULL ? w->policy : f->policy);
	tls_server_unref(w != NULL ? w->tls : f->tls);
	if (w == NULL) {
		free(f);
		return;
	}
	w->policy = f->policy; /* sessions take it up between transactions */
	w->tls = f->tls;
	free(f);
}

/* Everything is loaded before anything is swapped. */
bool
serve_reload(struct serve *sv, struct sb *errors)
{
	struct gateway *g = &sv->gateway;
	struct policy *policy;
	struct tls_server *tls = NULL;
	struct fresh *f;
	struct err err;
	size_t i;

	policy = load_policy(sv->config, errors);
	if (policy == NULL)
		return false;
	if (wants_tls(sv->config) && (tls = load_tls(sv->config, &err)) == NULL) {
		sb_str(errors, err.text);
		policy_unref(policy);
		return false;
	}
	pthread_mutex_lock(&g->lock);
	policy_unref(g->policy);
	tls_server_unref(g->tls);
	g->policy = policy;
	g->tls = tls;
	for (i = 0; i < sv->nworkers; i++) {
		f = xmalloc(sizeof(*f));
		*f = (struct fresh){ policy_ref(policy), tls != NULL ? tls_server_ref(tls) : NULL };
		worker_post(sv->workers[i], adopt, f);
	}
	pthread_mutex_unlock(&g->lock);
	log_reopen();
	audit_reopen(g->audit);
	return true;
}

/* --- drain -------------------------------------------------------------- */

static void
drain(struct worker *w, void *arg)
{
	struct session *s, *next;
	size_t i;

	(void)arg;
	if (w == NULL)
		return;
	w->draining = true;
	for (i = 0; i < nitems(w->listeners); i++) {
		listener_free(w->listeners[i]);
		w->listeners[i] = NULL;
	}
	for (s = TAILQ_FIRST(&w->sessions); s != NULL; s = next) {
		next = TAILQ_NEXT(s, next);
		session_drain(s);
	}
}

void
serve_drain(struct serve *sv)
{
	size_t i;

	for (i = 0; i < sv->nworkers; i++)
		worker_post(sv->workers[i], drain, NULL);
}

bool
serve_drained(const struct serve *sv)
{
	return atomic_load(&sv->gateway.clients) == 0;
}

/* --- pgmoat serve ------------------------------------------------------- */

static void
write_pid_file(const char *path)
{
	FILE *f;

	if (path == NULL)
		return;
	if ((f = fopen(path, "we")) == NULL) {
		log_warn(0, "pid file %s: %s", path, strerror(errno));
		return;
	}
	fprintf(f, "%ld\n", (long)getpid());
	fclose(f);
}

static void
reload(struct serve *sv)
{
	struct sb errors = { 0 };

	if (serve_reload(sv, &errors))
		log_info(0, "reloaded: the next transactions get the new policy");
	else
		log_error(0, "reload failed, the old policy stays: %s", sb_text(&errors));
	sb_free(&errors);
}

static int
read_signal(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct signalfd_siginfo info;

	if (poll(&p, 1, timeout) != 1 || read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* SIGTERM drains, a second one or SIGINT stops. */
static void
wait_for_end(struct serve *sv, int fd)
{
	bool draining = false;

	for (;;) {
		switch (read_signal(fd, draining ? DRAIN_POLL_MS : -1)) {
		case SIGHUP:
			reload(sv);
			break;
		case SIGINT:
			log_info(0, "stopping");
			return;
		case SIGTERM:
			if (draining)
				return;
			draining = true;
			log_info(0, "draining: no new clients, waiting for those that are busy");
			serve_drain(sv);
			break;
		}
		if (draining && serve_drained(sv))
			return;
	}
}

static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL); /* before the threads, which inherit it */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int
serve_with(const struct config *c)
{
	struct serve *sv;
	struct err err;
	size_t i;
	int fd;

	if (!log_open(c->log_file, (enum log_level)c->log_level, &err)) {
		fprintf(stderr, "pgmoat: %s\n", err.text);
		return 2;
	}
	fd = signals_open();
	if ((sv = serve_start(c, &err)) == NULL) {
		fprintf(stderr, "pgmoat: %s\n", err.text);
		return 2;
	}
	for (i = 0; serve_address(sv, i) != NULL; i++)
		log_info(0, "listening on %s", serve_address(sv, i));
	write_pid_file(c->pid_file);
	wait_for_end(sv, fd);
	serve_stop(sv);
	if (c->pid_file != NULL)
		unlink(c->pid_file);
	log_info(0, "ended");
	log_close();
	close(fd);
	return 0;
}

int
serve_main(int argc, char **argv)
{
	struct config c;
	struct sb errors = { 0 };
	int status = 2;

	config_init(&c);
	if (config_read(&c, argc, argv, &errors))
		status = serve_with(&c);
	else
		fprintf(stderr, "%s", sb_text(&errors));
	sb_free(&errors);
	config_release(&c);
	return status;
}
