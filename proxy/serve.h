/* proxy/serve.h - the proxy as a running thing: workers, listeners, signals.
 *
 * serve_start() opens the listeners and starts one thread per worker;
 * serve_stop() ends them. `pgmoat serve` waits for signals around it, `pgmoat
 * run` waits for its child. One at a time in a process.
 */
#ifndef SERVE_H
#define SERVE_H

#include "config.h"

struct serve;

struct serve *serve_start(const struct config *, struct err *); /* config stays borrowed */
const char *serve_address(const struct serve *, size_t i);      /* as bound: "127.0.0.1:40123", "unix:/PATH"; NULL past the last */
bool serve_reload(struct serve *, struct sb *errors);           /* policy and TLS; on false the old ones stay */
void serve_drain(struct serve *);                               /* no new clients; idle ones go, busy ones finish */
bool serve_drained(const struct serve *);
void serve_stop(struct serve *); /* ends everything now and frees it */

int serve_main(int argc, char **argv); /* `pgmoat serve`: SIGTERM drains (a second one stops), SIGINT stops, SIGHUP reloads */
int run_main(int argc, char **argv);   /* `pgmoat run` */
int check_main(int argc, char **argv); /* `pgmoat check` */

#endif
