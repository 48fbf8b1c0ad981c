/* proxy/catalog_command.h - `pgmoat catalog`: what a database holds, written to a file.
 *
 * Connects with libpq and blocks; for the command line only. The sections'
 * SQL is that of include/catalog.h, so that the file and what the proxy loads
 * itself cannot differ.
 */
#ifndef CATALOG_COMMAND_H
#define CATALOG_COMMAND_H

#include <stdio.h>

int	catalog_main(int argc, char **argv);
void	catalog_help(FILE *);

#endif
