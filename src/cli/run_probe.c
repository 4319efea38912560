/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge probe`: arguments in, the work is done in tool/. With --json the
 * failure stands in the report, as the control socket would have told it.
 */
#include <stdlib.h>

#include "cli/print_probe.h"
#include "cli/request.h"
#include "cli/run.h"
#include "tool/probe.h"
#include "tool/probe_view.h"

static struct bridge_conf *read_conf(const struct args *a, struct error *err)
{
	json_t *options = json_object();
	struct bridge_conf *conf = NULL;
	struct schema_first first;

	schema_first_init(&first);
	if (request_probe(a, options, err)) {
		conf = bridge_conf_new("probe", NULL, options, &first.report);
		*err = first.err;
	}
	json_decref(options);
	return conf;
}

int run_probe(struct cli *cli, const struct args *a)
{
	struct error err = ERROR_INIT;
	struct bridge_conf *conf = read_conf(a, &err);
	json_t *report;

	if (!conf)
		return run_fail(cli, &err);
	report = probe_run(conf, &err);
	if (err.code)
		json_object_set_new(report, PROBE_ERROR, rpc_error_flat(&err));
	if (cli->json)
		run_print_json(cli, report);
	else
		print_probe(&cli->out, report);
	json_decref(report);
	bridge_conf_unref(conf);
	if (!err.code)
		return EXIT_DONE;
	return cli->json ? error_exit_status(err.code) : run_fail(cli, &err);
}
