/* SPDX-License-Identifier: Apache-2.0 */
/* Starts Debian's clickhouse-server from a private configuration, and ends it. */
#include "support/test_clickhouse.h"

#include "base/crc32c.h"
#include "clickhouse/clickhouse.h"
#include "clickhouse/tables.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

const struct oi_kv_engine test_clickhouse_engine = { .name = "clickhouse" };

static struct {
    pid_t process;
    int port, tcp_port;
    char folder[64];
} server;

static const char config_text[] =
    "<?xml version=\"1.0\"?><yandex>\n"
    "<logger><level>warning</level><log>%1$s/server.log</log>"
    "<errorlog>%1$s/error.log</errorlog></logger>\n"
    "<http_port>%2$d</http_port><tcp_port>%3$d</tcp_port><listen_host>127.0.0.1</listen_host>\n"
    "<keep_alive_timeout>600</keep_alive_timeout><mark_cache_size>67108864</mark_cache_size>\n"
    "<path>%1$s/data/</path><tmp_path>%1$s/scratch/</tmp_path>\n"
    "<user_files_path>%1$s/files/</user_files_path>"
    "<format_schema_path>%1$s/schemas/</format_schema_path>\n"
    "<users_config>%1$s/users.xml</users_config><default_profile>default</default_profile>\n"
    "<default_database>default</default_database><timezone>UTC</timezone>"
    "<mlock_executable>false</mlock_executable>\n</yandex>\n";
static const char users_text[] =
    "<?xml version=\"1.0\"?><yandex><profiles><default><max_memory_usage>2000000000"
    "</max_memory_usage><max_threads>2</max_threads><log_queries>0</log_queries></default>"
    "</profiles>\n<users><default><password>secret</password><networks><ip>127.0.0.1</ip>"
    "</networks><profile>default</profile><quota>default</quota></default></users>\n"
    "<quotas><default></default></quotas></yandex>\n";

static int
free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(file, (const struct sockaddr *) &address, size) == 0 &&
        getsockname(file, (struct sockaddr *) &address, &size) == 0)
        port = ntohs(address.sin_port);
    (void) close(file);
    return port;
}

static void
write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", server.folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
spawn(void)
{
    char config[128];

    (void) snprintf(config, sizeof(config), "--config-file=%s/config.xml", server.folder);
    server.process = fork();
    if (server.process == 0) {
        int null = open("/dev/null", O_RDWR);

        (void) dup2(null, 0);
        (void) dup2(null, 1);
        (void) dup2(null, 2);
        (void) execlp("clickhouse-server", "clickhouse-server", config, (char *) NULL);
        _exit(127);
    }
}

static bool
is_up(void)
{
    const struct timespec pause = { 0, 20'000'000 };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) server.port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 1000; i++) {
        int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_open = connect(file, (const struct sockaddr *) &address, sizeof(address)) == 0;

        (void) close(file);
        if (is_open)
            return true;
        if (waitpid(server.process, NULL, WNOHANG) != 0) {
            server.process = 0;
            return false;
        }
        (void) nanosleep(&pause, NULL);
    }
    return false;
}

bool
test_clickhouse_start(void)
{
    static const char *const folders[] = { "data", "scratch", "files", "schemas" };
    char text[2048], path[128];

    (void) snprintf(server.folder, sizeof(server.folder), "/tmp/oi-clickhouse-XXXXXX");
    assert_non_null(mkdtemp(server.folder));
    for (size_t i = 0; i < OI_COUNT(folders); i++) {
        (void) snprintf(path, sizeof(path), "%s/%s", server.folder, folders[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    server.port = free_port();
    server.tcp_port = free_port();
    (void) snprintf(text, sizeof(text), config_text, server.folder, server.port, server.tcp_port);
    write_file("config.xml", text);
    write_file("users.xml", users_text);
    spawn();
    if (is_up())
        return true;
    print_message("skipped over ClickHouse: clickhouse-server is not installed\n");
    test_clickhouse_stop();
    return false;
}

void
test_clickhouse_restart(void)
{
    spawn();
    assert_true(is_up());
}

void
test_clickhouse_signal(int number)
{
    assert_int_equal(kill(server.process, number), 0);
    if (number == SIGKILL || number == SIGTERM)
        (void) waitpid(server.process, NULL, 0);
}

static int
remove_one(const char *path, const struct stat *found, int type, struct FTW *place)
{
    (void) found, (void) type, (void) place;
    return remove(path);
}

void
test_clickhouse_stop(void)
{
    if (server.process > 0) {
        (void) kill(server.process, SIGKILL);
        (void) waitpid(server.process, NULL, 0);
    }
    server.process = 0;
    (void) nftw(server.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
test_clickhouse_address(const char *database, char *text, size_t size)
{
    (void) snprintf(text, size, "clickhouse://default:secret@127.0.0.1:%d/%s", server.port,
                    database);
}

void
test_clickhouse_address_of(const char *path, char *text, size_t size)
{
    char database[32];

    (void) snprintf(database, sizeof(database), "t%08x", oi_crc32c(0, path, strlen(path)));
    test_clickhouse_address(database, text, size);
}

enum oi_status
test_clickhouse_open(const char *path, const struct oi_store_options *options,
                     struct oi_store **ret_store, struct oi_error *error)
{
    struct oi_clickhouse_options own = {};
    struct oi_clickhouse_address address;
    struct oi_clickhouse_client *client = NULL;
    char text[160];
    enum oi_status status;

    if (!options->engine || strcmp(options->engine->name, test_clickhouse_engine.name) != 0)
        return oi_store_open(path, options, ret_store, error);
    test_clickhouse_address_of(path, text, sizeof(text));
    assert_ok(oi_clickhouse_address_parse(text, &address, error));
    assert_ok(oi_clickhouse_client_new(&address, &client, error));
    status = options->is_read_only ? OI_OK : oi_clickhouse_init(client, error);
    oi_clickhouse_client_free(&client);
    OI_TRY(status);
    own.clock = options->clock;
    own.is_read_only = options->is_read_only;
    own.chunk_rows = options->chunk_rows;
    own.fill_rows = 120;
    own.verify_rows = 50;
    own.keeps_at_once = true;
    return oi_clickhouse_open(text, &own, ret_store, error);
}
