/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of each line of rpc_lines.h, and of lines at the limits. Then
 * random lines, of which none may do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "control/rpc.h"
#include "control/rpc_lines.h"

#define MAX_LINE 4096

static void describe_request(FILE *f, const struct rpc_request *rq)
{
	char *id = rq->id ? json_dumps(rq->id, JSON_ENCODE_ANY) : NULL;
	char *params = rq->params ? json_dumps(rq->params, JSON_COMPACT) : NULL;

	if (rq->err.code != ERR_NONE)
		fprintf(f, "%d %s", error_rpc_code(rq->err.code), rq->err.text);
	else
		fprintf(f, "%s%s%s", rq->method, params ? " " : "", params ? params : "");
	for (size_t i = 0; rq->err.code == ERR_NONE && i < rq->n_words; i++)
		fprintf(f, " [%.*s=%.*s]", (int)rq->words[i].key.n,
			(const char *)rq->words[i].key.p, (int)rq->words[i].value.n,
			(const char *)rq->words[i].value.p);
	fprintf(f, " #%s", id ? id : "-");
	free(id);
	free(params);
}

static char *describe(struct span line)
{
	struct rpc_input in;
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	rpc_input_init(&in, line, MAX_LINE);
	fputs(in.n == 0 ? "nothing" : in.batch ? "batch: " : "", f);
	for (size_t i = 0; i < in.n; i++) {
		fputs(i ? " | " : "", f);
		describe_request(f, &in.requests[i]);
	}
	fclose(f);
	rpc_input_deinit(&in);
	return text;
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RPC_LINES; i++) {
		char *found = describe(span_of(rpc_lines[i].line, rpc_lines[i].n));

		if (strcmp(found, rpc_lines[i].verdict) != 0)
			fail_msg("line %zu: %s\nexpected %s\nfound    %s", i, rpc_lines[i].line,
				 rpc_lines[i].verdict, found);
		free(found);
	}
}

static void expect(struct span line, const char *verdict)
{
	char *found = describe(line);

	assert_string_equal(found, verdict);
	free(found);
}

static void test_longest_line(void **state)
{
	char line[MAX_LINE + 1];

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "status", 6);
	expect(span_of(line, MAX_LINE), "status #null");
	expect(span_of(line, MAX_LINE + 1),
	       "-32013 the request is longer than 4096 bytes (limits.control_request) #null");
}

static void test_longest_id(void **state)
{
	char id[RPC_ID_MAX + 2], line[256], verdict[256];

	(void)state;
	memset(id, 'x', sizeof(id));
	snprintf(line, sizeof(line), "{\"id\":\"%.*s\",\"method\":\"m\"}", RPC_ID_MAX, id);
	snprintf(verdict, sizeof(verdict), "m #\"%.*s\"", RPC_ID_MAX, id);
	expect(span_str(line), verdict);
	snprintf(line, sizeof(line), "{\"id\":\"%.*s\",\"method\":\"m\"}", RPC_ID_MAX + 1, id);
	expect(span_str(line),
	       "-32600 \"id\" must be a string of at most 128 bytes, an integer or null #null");
}

/* `n` times the same request as a batch. */
static char *batch_of(size_t n)
{
	char *line;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	fputs("[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s{\"method\":\"m\",\"id\":%zu}", i ? "," : "", i);
	fputs("]", f);
	fclose(f);
	return line;
}

static void test_largest_batch(void **state)
{
	char *line = batch_of(RPC_BATCH_MAX);
	struct rpc_input in;

	(void)state;
	rpc_input_init(&in, span_str(line), MAX_LINE);
	assert_int_equal(in.n, RPC_BATCH_MAX);
	for (size_t i = 0; i < in.n; i++) {
		assert_int_equal(in.requests[i].err.code, ERR_NONE);
		assert_int_equal(json_integer_value(in.requests[i].id), i);
	}
	rpc_input_deinit(&in);
	rpc_input_deinit(&in);
	free(line);
	line = batch_of(RPC_BATCH_MAX + 1);
	expect(span_str(line), "-32600 a batch of 65 requests; at most 64 are taken #null");
	free(line);
}

static char *words(size_t n)
{
	char *line;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	fputs("m", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, " k%zu=v", i);
	fclose(f);
	return line;
}

static void test_most_words(void **state)
{
	char *line = words(RPC_WORDS_MAX);
	struct rpc_input in;

	(void)state;
	rpc_input_init(&in, span_str(line), MAX_LINE);
	assert_int_equal(in.requests[0].err.code, ERR_NONE);
	assert_int_equal(in.requests[0].n_words, RPC_WORDS_MAX);
	rpc_input_deinit(&in);
	free(line);
	line = words(RPC_WORDS_MAX + 1);
	expect(span_str(line), "-32700 more than 128 words #null");
	free(line);
}

/* The bytes of a parameter stay as they were typed. */
static void test_param_text(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "{\"method\":\"m\",\"params\":{\"json\":0.1}}", "0.1" },
		{ "{\"method\":\"m\",\"params\":{\"json\": 1e2 }}", "1e2" },
		{ "{\"method\":\"m\",\"params\":{\"a\":[1,{\"json\":2}],\"json\":\"x\\\"y\"}}",
		  "\"x\\\"y\"" },
		{ "{\"params\":{\"json\":{\"b\": 1.50,\"a\":[ ]}},\"method\":\"m\"}",
		  "{\"b\": 1.50,\"a\":[ ]}" },
		{ "{\"p\\u0061rams\":{\"\\u006ason\":null},\"method\":\"m\"}", "null" },
		{ "{\"method\":\"m\",\"params\":{\"xjson\":1}}", NULL },
		{ "{\"method\":\"json\",\"params\":{}}", NULL },
		{ "{\"method\":\"m\"}", NULL },
		{ "m feed json={\"a\": 1.0}", "{\"a\": 1.0}" },
		{ "m feed json=1.10", "1.10" },
		{ "m feed", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rpc_input in;
		struct span text;
		bool found;

		rpc_input_init(&in, span_str(cases[i].line), MAX_LINE);
		found = rpc_param_text(&in.requests[0], "json", &text);
		assert_int_equal(found, cases[i].text != NULL);
		if (found)
			assert_true(span_equal(text, span_str(cases[i].text)));
		rpc_input_deinit(&in);
	}
}

/* In a batch each request has its own bytes. */
static void test_param_text_in_batch(void **state)
{
	struct rpc_input in;
	struct span text;

	(void)state;
	rpc_input_init(&in,
		       span_str("[ {\"method\":\"m\",\"params\":{\"json\":1.0}} , "
				"{\"method\":\"m\",\"params\":{\"json\":[2.0]}} ]"),
		       MAX_LINE);
	assert_int_equal(in.n, 2);
	assert_true(rpc_param_text(&in.requests[0], "json", &text));
	assert_true(span_equal(text, span_str("1.0")));
	assert_true(rpc_param_text(&in.requests[1], "json", &text));
	assert_true(span_equal(text, span_str("[2.0]")));
	rpc_input_deinit(&in);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Whatever the line: a request with a name, or an error that can be answered in one line. */
static void check_input(struct span line)
{
	struct rpc_input in;
	struct span text;

	rpc_input_init(&in, line, MAX_LINE);
	for (size_t i = 0; i < in.n; i++) {
		const struct rpc_request *rq = &in.requests[i];
		json_t *answer;
		char *out;
		size_t n;

		rpc_param_text(rq, "json", &text);
		if (rq->err.code == ERR_NONE)
			continue;
		assert_non_null(rq->id);
		answer = rpc_answer_error(rq->id, rpc_error_object(&rq->err, NULL, NULL));
		out = rpc_line(answer, &n);
		assert_ptr_equal(strchr(out, '\n'), out + n - 1);
		assert_true(utf8_valid(span_of(out, n)));
		json_decref(answer);
		free(out);
	}
	rpc_input_deinit(&in);
}

static void test_random_bytes(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = next_random(&seed) % 40;
		uint8_t *line = malloc(n + 1);

		for (size_t i = 0; i < n; i++)
			line[i] = (uint8_t)next_random(&seed);
		check_input(span_of(line, n));
		free(line);
	}
}

/* The rows with some bytes changed, or cut off; each in memory of exactly its size. */
static void test_mutations(void **state)
{
	static const char likely[] = "{}[]\":,\\ =0a\0\xff\t";
	uint32_t seed = 2;

	(void)state;
	for (int round = 0; round < 60000; round++) {
		const struct rpc_line_row *row = &rpc_lines[next_random(&seed) % N_RPC_LINES];
		size_t n = row->n - next_random(&seed) % (row->n + 1) * (round % 3 == 0);
		char *line = malloc(n ? n : 1);

		memcpy(line, row->line, n);
		for (uint32_t i = next_random(&seed) % 4; n > 0 && i > 0; i--)
			line[next_random(&seed) % n] =
				likely[next_random(&seed) % (sizeof(likely) - 1)];
		check_input(span_of(line, n));
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_longest_id),
		cmocka_unit_test(test_largest_batch),
		cmocka_unit_test(test_most_words),
		cmocka_unit_test(test_param_text),
		cmocka_unit_test(test_param_text_in_batch),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
