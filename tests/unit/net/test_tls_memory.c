/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's memory: blocks of the size of a record come and go, and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "net/tls_memory.h"

#define RECORD 17000
#define MANY 3000 /* more than there are places */

static size_t pages_in_use(const void *block, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	unsigned char in[64];
	uintptr_t first = (uintptr_t)block & ~(uintptr_t)(page - 1);
	size_t pages = ((uintptr_t)block + size - first + page - 1) / page;

	assert_true(pages <= sizeof(in));
	if (mincore((void *)first, pages * page, in) != 0)
		return 0;
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	return n;
}

static void check_filled(const uint8_t *block, size_t size, int with)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(block[i], with);
}

static void test_many_at_a_time(void **state)
{
	uint8_t **blocks = mem_array(MANY, sizeof(*blocks));

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < MANY; i++) {
			blocks[i] = OPENSSL_malloc(RECORD);
			memset(blocks[i], (int)(i % 251), RECORD);
		}
		for (size_t i = 0; i < MANY; i++)
			check_filled(blocks[i], RECORD, (int)(i % 251));
		for (size_t i = round; i < MANY; i += 2)
			OPENSSL_free(blocks[i]);
		for (size_t i = !round; i < MANY; i += 2)
			OPENSSL_free(blocks[i]);
	}
	free(blocks);
}

static void test_what_is_free_goes_back(void **state)
{
	uint8_t *blocks[64];
	size_t held = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		blocks[i] = OPENSSL_malloc(RECORD);
		memset(blocks[i], 1, RECORD);
		assert_true(pages_in_use(blocks[i], RECORD) >= 4);
	}
	for (size_t i = 0; i < 64; i++)
		OPENSSL_free(blocks[i]);
	for (size_t i = 0; i < 64; i++)
		held += pages_in_use(blocks[i], RECORD) > 0;
	assert_true(held > 0 && held <= 8);
}

static void test_the_same_again(void **state)
{
	void *block = OPENSSL_malloc(RECORD), *other;

	(void)state;
	OPENSSL_free(block);
	other = OPENSSL_malloc(RECORD);
	assert_ptr_equal(block, other); /* what is warm is used first */
	OPENSSL_free(other);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 1,     100,   16383, 16384, 17000, 24575, 24576,
					24577, 70000, 24576, 17000, 100,   30000, 1 };
	uint8_t *block = OPENSSL_malloc(sizes[0]);

	(void)state;
	block[0] = 7;
	for (size_t i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t kept = sizes[i] < sizes[i - 1] ? sizes[i] : sizes[i - 1];

		block = OPENSSL_realloc(block, sizes[i]);
		assert_non_null(block);
		check_filled(block, kept, 7);
		memset(block, 7, sizes[i]);
	}
	block = OPENSSL_clear_realloc(block, 1, RECORD);
	assert_int_equal(block[0], 7);
	OPENSSL_clear_free(block, RECORD);
	block = OPENSSL_realloc(NULL, RECORD);
	memset(block, 7, RECORD);
	assert_null(OPENSSL_realloc(block, 0));
	OPENSSL_free(NULL);
}

static int begin(void **state)
{
	(void)state;
	tls_memory_init();
	tls_memory_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_at_a_time),
		cmocka_unit_test(test_what_is_free_goes_back),
		cmocka_unit_test(test_the_same_again),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
