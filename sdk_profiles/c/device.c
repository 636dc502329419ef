/* A device on the Azure IoT device SDK for C, driven by JSON lines: commands on stdin, all that an application can see on stdout.
 *
 * It adds nothing, retries nothing, swallows nothing. The SDK's low-level client (`IoTHubDeviceClient_LL`) is used, in one thread that
 * works as the SDK's own would: a DoWork every millisecond. The convenience layer puts the same core behind a lock which that thread
 * holds while it works, so that a send would wait for it; here commands wait in a pipe instead, and callbacks are reported from within
 * the DoWork that makes them. Another thread reads stdin: it answers what is no command also while the SDK blocks, as it does for up
 * to 10 s where a hub does not answer.
 *
 * Without exceptions, the class of an error is the value that the SDK gave, and its message that value's type. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <parson.h>

#include "azure_c_shared_utility/shared_util_options.h"
#include "azure_c_shared_utility/xlogging.h"
#include "iothub.h"
#include "iothub_client_options.h"
#include "iothub_client_version.h"
#include "iothub_device_client_ll.h"
#include "iothub_message.h"
#include "iothubtransportamqp.h"
#include "iothubtransportamqp_websockets.h"
#ifdef WITH_HTTP
#include "iothubtransporthttp.h"
#endif
#include "iothubtransportmqtt.h"
#include "iothubtransportmqtt_websockets.h"

#ifdef __clang__
#define COMPILER "Clang " __clang_version__
#else
#define COMPILER "GCC " __VERSION__
#endif

enum { SETTLE_MS = 5000, CLOSE_MS = 10000 }; /* for calls under way, and then for the SDK's own close, which has no limit */

static const struct {
    const char *name;
    IOTHUB_CLIENT_TRANSPORT_PROVIDER provider;
} TRANSPORTS[] = {
    {"mqtt", MQTT_Protocol},
    {"mqtt-ws", MQTT_WebSocket_Protocol},
    {"amqp", AMQP_Protocol},
    {"amqp-ws", AMQP_Protocol_over_WebSocketsTls},
#ifdef WITH_HTTP
    {"https", HTTP_Protocol},
#endif
};
enum { TRANSPORT_COUNT = sizeof TRANSPORTS / sizeof TRANSPORTS[0] };
#define CAPABILITIES "[\"lifetime\", \"own-token\", \"x509\", \"proxy\", \"twin\"]"

static FILE *events;               /* the protocol's stdout; stdio lets one line at a time in */
static int commands[2], closed[2]; /* pipes: commands to the thread that works, as pointers; whether it is done */

/* The device: all of it belongs to the thread that works. */
static IOTHUB_DEVICE_CLIENT_LL_HANDLE client;
static JSON_Value *settings; /* what `open` made use of, until it is reported */
static int under_way;        /* sends without a result */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static JSON_Value *text(const char *value)
{
    JSON_Value *string = value ? json_value_init_string(value) : NULL; /* none either where it is no UTF-8 */
    return string ? string : json_value_init_null();
}

static JSON_Value *number(double value) { return json_value_init_number(value); }

static JSON_Value *error(const char *class, const char *message)
{
    JSON_Value *chain = json_value_init_array(), *link = json_value_init_object();
    json_object_set_value(json_object(link), "class", text(class));
    json_object_set_value(json_object(link), "message", text(message));
    json_array_append_value(json_array(chain), link);
    return chain;
}

/* Write one event: its name, then the names and values of its fields, then NULL. */
__attribute__((sentinel)) static void emit(const char *name, ...)
{
    JSON_Value *event = json_value_init_object();
    json_object_set_string(json_object(event), "event", name);
    json_object_set_number(json_object(event), "t", seconds(CLOCK_REALTIME));
    va_list fields;
    va_start(fields, name);
    for (const char *field; (field = va_arg(fields, const char *)) != NULL;)
        json_object_set_value(json_object(event), field, va_arg(fields, JSON_Value *));
    va_end(fields);
    char *line = json_serialize_to_string(event);
    fprintf(events, "%s\n", line);
    fflush(events);
    json_free_serialized_string(line);
    json_value_free(event);
}

/* The SDK's word without the prefix that all of them share. */
static JSON_Value *word(const char *enumerator)
{
    static const char PREFIX[] = "IOTHUB_CLIENT_CONNECTION_";
    return text(strncmp(enumerator, PREFIX, sizeof PREFIX - 1) ? enumerator : enumerator + sizeof PREFIX - 1);
}

static void on_status(IOTHUB_CLIENT_CONNECTION_STATUS status, IOTHUB_CLIENT_CONNECTION_STATUS_REASON reason, void *context)
{
    (void)context;
    emit("status", "status", word(MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONNECTION_STATUS, status)),
         "reason", word(MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONNECTION_STATUS_REASON, reason)), NULL);
    if (status == IOTHUB_CLIENT_CONNECTION_AUTHENTICATED && settings) {
        emit("opened", "settings", settings, NULL);
        settings = NULL;
    }
}

static void on_sent(IOTHUB_CLIENT_CONFIRMATION_RESULT result, void *id)
{
    under_way--;
    if (result == IOTHUB_CLIENT_CONFIRMATION_OK)
        emit("sent", "id", number((double)(intptr_t)id), NULL);
    else
        emit("send_failed", "id", number((double)(intptr_t)id), "error",
             error(MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONFIRMATION_RESULT, result), "IOTHUB_CLIENT_CONFIRMATION_RESULT"), NULL);
}

static IOTHUBMESSAGE_DISPOSITION_RESULT on_message(IOTHUB_MESSAGE_HANDLE message, void *context)
{
    (void)context;
    const unsigned char *body;
    size_t size = 0;
    if (IoTHubMessage_GetByteArray(message, &body, &size) != IOTHUB_MESSAGE_OK)
        size = strlen(IoTHubMessage_GetString(message));
    emit("c2d", "message_id", text(IoTHubMessage_GetMessageId(message)), "size", number((double)size), NULL);
    return IOTHUBMESSAGE_ACCEPTED;
}

static int on_method(const char *name, const unsigned char *payload, size_t size, unsigned char **response, size_t *response_size, void *context)
{
    (void)payload, (void)size, (void)context;
    emit("method", "name", text(name), NULL);
    *response = (unsigned char *)strdup("{}"); /* the SDK frees it */
    *response_size = 2;
    return 200;
}

/* The whole twin comes after each connect, a patch with each change. */
static void on_twin(DEVICE_TWIN_UPDATE_STATE state, const unsigned char *payload, size_t size, void *context)
{
    (void)context;
    char *json = strndup((const char *)payload, size);
    JSON_Value *twin = json_parse_string(json);
    const char *path = state == DEVICE_TWIN_UPDATE_COMPLETE ? "desired.$version" : "$version";
    JSON_Value *version = json_object_dotget_value(json_object(twin), path);
    emit("twin", "version", version ? json_value_deep_copy(version) : text(NULL),
         "update", text(MU_ENUM_TO_STRING(DEVICE_TWIN_UPDATE_STATE, state)), NULL);
    json_value_free(twin);
    free(json);
}

/* One line of the SDK's log: `Error: ` or `Info: `, as the SDK's own printer begins it, without time, file and function. */
__attribute__((format(printf, 6, 7))) static void on_log(
    LOG_CATEGORY category, const char *file, const char *function, int line, unsigned int options, const char *format, ...)
{
    (void)file, (void)function, (void)line, (void)options;
    char *said;
    va_list values;
    va_start(values, format);
    if (vasprintf(&said, format, values) >= 0) {
        for (char *at = said; (at = strpbrk(at, "\r\n")) != NULL;)
            *at = ' ';
        fprintf(stderr, "%s: %s\n", category == AZ_LOG_ERROR ? "Error" : "Info", said);
        free(said);
    }
    va_end(values);
}

/* Return the SDK's first refusal. */
#define TRY(call)                             \
    do {                                      \
        IOTHUB_CLIENT_RESULT result = (call); \
        if (result != IOTHUB_CLIENT_OK)       \
            return result;                    \
    } while (0)

/* Set what `open` asks for, and note it in `used`. */
static IOTHUB_CLIENT_RESULT configure(const JSON_Object *command, JSON_Object *used)
{
    const char *transport = json_object_get_string(command, "transport"), *pem;
    json_object_set_string(used, "transport", transport);
    TRY(IoTHubDeviceClient_LL_SetConnectionStatusCallback(client, on_status, NULL));
    JSON_Object *proxy = json_object_get_object(command, "proxy");
    if (proxy && strstr(transport, "-ws")) { /* the others take no such option, and these none after a certificate */
        HTTP_PROXY_OPTIONS way = {json_object_get_string(proxy, "host"), (int)json_object_get_number(proxy, "port"), NULL, NULL};
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_HTTP_PROXY, &way));
        json_object_set_value(used, "proxy", json_value_deep_copy(json_object_get_wrapping_value(proxy)));
    }
    if ((pem = json_object_get_string(command, "ca_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_TRUSTED_CERT, pem));
    if ((pem = json_object_get_string(command, "cert_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_X509_CERT, pem));
    if ((pem = json_object_get_string(command, "key_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_X509_PRIVATE_KEY, pem));
    if (json_object_has_value_of_type(command, "lifetime_s", JSONNumber) && strcmp(transport, "https")) { /* there, an hour is a constant */
        size_t lifetime = (size_t)json_object_get_number(command, "lifetime_s");
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_SAS_TOKEN_LIFETIME, &lifetime));
        json_object_set_number(used, "lifetime_s", (double)lifetime);
    }
    if (json_object_get_boolean(command, "c2d") == 1) {
        TRY(IoTHubDeviceClient_LL_SetMessageCallback(client, on_message, NULL));
        json_object_set_boolean(used, "c2d", 1);
    }
    if (json_object_get_boolean(command, "methods") == 1) {
        TRY(IoTHubDeviceClient_LL_SetDeviceMethodCallback(client, on_method, NULL));
        json_object_set_boolean(used, "methods", 1);
    }
    if (json_object_get_boolean(command, "twin") == 1) {
        TRY(IoTHubDeviceClient_LL_SetDeviceTwinCallback(client, on_twin, NULL));
        json_object_set_boolean(used, "twin", 1);
    }
    return IOTHUB_CLIENT_OK;
}

/* Make the client. It connects with the first DoWork, and says by its status when it is connected; then it listens, too. */
static void open_client(const JSON_Object *command)
{
    int at = 0;
    while (at < TRANSPORT_COUNT && strcmp(TRANSPORTS[at].name, json_object_get_string(command, "transport")))
        at++;
    if (at == TRANSPORT_COUNT) {
        emit("open_failed", "error", error("EINVAL", "no such transport"), NULL);
        return;
    }
    client = IoTHubDeviceClient_LL_CreateFromConnectionString(json_object_get_string(command, "connection_string"), TRANSPORTS[at].provider);
    if (!client) {
        emit("open_failed", "error", error("NULL", "IOTHUB_DEVICE_CLIENT_LL_HANDLE"), NULL);
        return;
    }
    settings = json_value_init_object();
    IOTHUB_CLIENT_RESULT result = configure(command, json_object(settings));
    if (result != IOTHUB_CLIENT_OK) {
        emit("open_failed", "error", error(MU_ENUM_TO_STRING(IOTHUB_CLIENT_RESULT, result), "IOTHUB_CLIENT_RESULT"), NULL);
        IoTHubDeviceClient_LL_Destroy(client);
        client = NULL;
    } else if (!strcmp(TRANSPORTS[at].name, "https")) { /* over which no status is told: there is nothing to connect */
        emit("opened", "settings", settings, NULL);
        settings = NULL;
    }
}

static void send_message(intptr_t id)
{
    char name[24], body[32];
    snprintf(name, sizeof name, "%jd", (intmax_t)id);
    snprintf(body, sizeof body, "{\"id\":%s}", name);
    IOTHUB_MESSAGE_HANDLE message = IoTHubMessage_CreateFromString(body);
    IoTHubMessage_SetMessageId(message, name);
    IOTHUB_CLIENT_RESULT result = IoTHubDeviceClient_LL_SendEventAsync(client, message, on_sent, (void *)id);
    IoTHubMessage_Destroy(message);
    if (result == IOTHUB_CLIENT_OK)
        under_way++;
    else
        emit("send_failed", "id", number((double)id), "error",
             error(MU_ENUM_TO_STRING(IOTHUB_CLIENT_RESULT, result), "IOTHUB_CLIENT_RESULT"), NULL);
}

/* The next command, for which a millisecond is waited where there is a client to work for, else as long as it takes. */
static JSON_Value *next_command(void)
{
    struct pollfd queue = {commands[0], POLLIN, 0};
    JSON_Value *json = NULL;
    if (poll(&queue, 1, client ? 1 : -1) > 0 && read(commands[0], &json, sizeof json) != sizeof json)
        abort();
    return json;
}

/* Carry out commands until `close`; then let calls under way end, close, report. */
static void *work(void *unused)
{
    for (int going = 1; going;) {
        JSON_Value *json = next_command();
        const JSON_Object *command = json_object(json);
        const char *cmd = json_object_get_string(command, "cmd");
        if (cmd && !strcmp(cmd, "open"))
            open_client(command);
        else if (cmd && !strcmp(cmd, "send"))
            send_message((intptr_t)json_object_get_number(command, "id"));
        else if (cmd)
            going = 0;
        json_value_free(json);
        if (client && going)
            IoTHubDeviceClient_LL_DoWork(client);
    }
    double limit = seconds(CLOCK_MONOTONIC) + SETTLE_MS / 1e3;
    for (; under_way && seconds(CLOCK_MONOTONIC) < limit; usleep(1000))
        IoTHubDeviceClient_LL_DoWork(client);
    if (client) {
        IoTHubDeviceClient_LL_Destroy(client);
        emit("closed", NULL);
    }
    close(closed[1]);
    return unused;
}

/* What is wrong with a command, or NULL. `opened`: an `open` came before. */
static const char *problem(const JSON_Object *command, const char *cmd, int opened)
{
    if (!cmd)
        return "no command";
    if (!strcmp(cmd, "open")) {
        if (opened)
            return "it is open";
        int whole = json_object_get_string(command, "transport") && json_object_get_string(command, "connection_string");
        return whole ? NULL : "transport or connection_string is missing";
    }
    if (strcmp(cmd, "send"))
        return "unknown";
    if (!opened)
        return "it is not open";
    return json_object_has_value_of_type(command, "id", JSONNumber) ? NULL : "id is missing";
}

static void hand_on(JSON_Value *json)
{
    if (write(commands[1], &json, sizeof json) != sizeof json)
        abort();
}

/* Read commands until `close` or the end of stdin; hand on those that are. */
static void serve(void)
{
    char *line = NULL;
    size_t room = 0;
    int opened = 0;
    while (getline(&line, &room, stdin) >= 0) {
        JSON_Value *json = json_parse_string(line);
        const char *cmd = json_object_get_string(json_object(json), "cmd");
        if (cmd && !strcmp(cmd, "close"))
            break;
        const char *wrong = problem(json_object(json), cmd, opened);
        if (wrong) {
            emit("bad_command", "cmd", text(cmd), "error", error("EINVAL", wrong), NULL);
            json_value_free(json);
        } else {
            opened = 1;
            hand_on(json);
        }
    }
    hand_on(json_parse_string("{\"cmd\": \"close\"}"));
}

static void say_hello(void)
{
    char runtime[256];
    snprintf(runtime, sizeof runtime, "%s, %s", COMPILER, OpenSSL_version(OPENSSL_VERSION));
    JSON_Value *transports = json_value_init_array();
    for (int at = 0; at < TRANSPORT_COUNT; at++)
        json_array_append_string(json_array(transports), TRANSPORTS[at].name);
    emit("hello", "protocol", number(1), "sdk", text("c"), "sdk_version", text(IoTHubClient_GetVersionString()),
         "runtime", text(runtime), "transports", transports, "capabilities", json_parse_string(CAPABILITIES), NULL);
}

int main(void)
{
    events = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), "w"); /* whoever else prints, prints to stderr */
    pthread_t worker;
    if (!events || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || pipe(commands) || pipe(closed) || IoTHub_Init())
        return EXIT_FAILURE;
    xlogging_set_log_function(on_log);
    say_hello();
    if (pthread_create(&worker, NULL, work, NULL))
        return EXIT_FAILURE;
    serve();
    struct pollfd done = {closed[0], POLLIN, 0};
    if (poll(&done, 1, SETTLE_MS + CLOSE_MS) == 0)
        emit("close_failed", "error", error("ETIMEDOUT", "IoTHubDeviceClient_LL_Destroy did not return"), NULL);
    _exit(EXIT_SUCCESS); /* also while the SDK blocks */
}
