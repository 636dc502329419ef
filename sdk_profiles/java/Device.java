import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.ConnectionStatusChangeContext;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ProxySettings;
import com.microsoft.azure.sdk.iot.device.SasTokenProvider;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A device on the Azure IoT device SDK for Java, driven by JSON lines: commands on stdin, all that an application can see on stdout.
 *
 * <p>It adds nothing, retries nothing, swallows nothing. The SDK's log goes to stderr (simplelogger.properties). What the SDK's callbacks
 * have no place for is not reported because nobody is told: whether a C2D message or the answer to a direct method reached the hub.
 * An exception that ends one of the SDK's threads is a {@code background_exception} whose callback is {@code uncaughtException}.
 *
 * <p>A token of the application's own stands in the connection string, and there the SDK has no way to replace it. An application that goes on
 * supplying tokens gives the SDK a {@code SasTokenProvider}, which the SDK asks whenever it needs one.
 */
final class Device {
    private static final Map<String, IotHubClientProtocol> TRANSPORTS = Map.of(
        "mqtt", IotHubClientProtocol.MQTT,
        "mqtt-ws", IotHubClientProtocol.MQTT_WS,
        "amqp", IotHubClientProtocol.AMQPS,
        "amqp-ws", IotHubClientProtocol.AMQPS_WS,
        "https", IotHubClientProtocol.HTTPS);
    private static final List<String> CAPABILITIES = List.of("lifetime", "own-token", "token-update", "x509", "proxy", "twin");
    private static final String ABOUT_THE_SDK = "/META-INF/maven/com.microsoft.azure.sdk.iot/iot-device-client/pom.properties";
    private static final long SETTLE_S = 5; // at `close`, for calls under way
    private static final long CLOSE_S = 10; // the SDK's close waits for an open under way
    private static final long ANSWER_S = 5; // to the SDK's question for a token
    private static final int LONGEST_CHAIN = 16;
    private static final OutputStream EVENTS = new FileOutputStream(FileDescriptor.out);

    private final JsonObject command;
    private final JsonObject settings = new JsonObject();
    private final Tokens tokens; // null: the connection string holds all there is
    private final DeviceClient client;
    private final ExecutorService calls = Executors.newSingleThreadExecutor(); // in the order of their commands
    private final Set<CompletableFuture<Void>> underWay = ConcurrentHashMap.newKeySet();

    /** The client of one {@code open}, with every handler that can be set before it connects. */
    private Device(JsonObject command) throws GeneralSecurityException, IOException {
        this.command = command;
        String transport = text(command, "transport");
        IotHubClientProtocol protocol = TRANSPORTS.get(transport);
        if (protocol == null) {
            throw new IllegalArgumentException("unknown transport " + transport);
        }
        settings.addProperty("transport", transport);
        ClientOptions options = options(transport.endsWith("-ws") || protocol == IotHubClientProtocol.HTTPS);
        String connection = text(command, "connection_string");
        if (has(command, "further_tokens")) {
            String further = text(command, "further_tokens");
            tokens = new Tokens(part(connection, "SharedAccessSignature"), further.equals("asked"));
            settings.addProperty("further_tokens", further);
            client = new DeviceClient(part(connection, "HostName"), part(connection, "DeviceId"), tokens, protocol, options);
        } else {
            tokens = null;
            client = new DeviceClient(connection, protocol, options);
        }
        client.setConnectionStatusChangeCallback(Device::onStatus, null);
        if (isAsked("c2d")) {
            client.setMessageCallback((message, nothing) -> onMessage(message), null);
        }
    }

    /** The application's tokens. The SDK is given the latest; where it has had that one before, it is asking the application for another. */
    private static final class Tokens implements SasTokenProvider {
        private final boolean answers; // the application does, by handing over another
        private char[] latest;
        private boolean had;

        private Tokens(String first, boolean answers) {
            this.answers = answers;
            supply(first);
        }

        private synchronized void supply(String token) {
            latest = token.toCharArray();
            had = false;
            notifyAll();
        }

        @Override
        public synchronized char[] getSasToken() {
            if (had) {
                emit("token_required", field("callback", new JsonPrimitive("getSasToken")));
                awaitAnswer();
            }
            had = true;
            return latest.clone();
        }

        private void awaitAnswer() {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(ANSWER_S);
            try {
                for (long left = until - System.nanoTime(); answers && had && left > 0; left = until - System.nanoTime()) {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                }
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** One part of a connection string. */
    private static String part(String connection, String name) {
        for (String part : connection.split(";")) {
            if (part.startsWith(name + "=")) {
                return part.substring(name.length() + 1);
            }
        }
        throw new IllegalArgumentException("the connection string has no " + name);
    }

    /** Hand over another token. The SDK takes it when it needs one, and nobody is told when that is. */
    private void supply(String token) {
        if (tokens == null) {
            UnsupportedOperationException problem = new UnsupportedOperationException("the client was not made for further tokens");
            emit("token_failed", withError(new JsonObject(), problem));
        } else {
            tokens.supply(token);
            emit("token_updated", new JsonObject());
        }
    }

    private ClientOptions options(boolean takesProxy) throws GeneralSecurityException, IOException {
        ClientOptions.ClientOptionsBuilder options = ClientOptions.builder();
        if (has(command, "lifetime_s")) {
            long lifetime = command.get("lifetime_s").getAsLong();
            options.sasTokenExpiryTime(lifetime);
            settings.addProperty("lifetime_s", lifetime);
        }
        if (has(command, "proxy") && takesProxy) {
            JsonObject proxy = command.getAsJsonObject("proxy");
            InetSocketAddress address = new InetSocketAddress(text(proxy, "host"), proxy.get("port").getAsInt());
            options.proxySettings(new ProxySettings(new Proxy(Proxy.Type.HTTP, address)));
            settings.add("proxy", proxy);
        }
        if (has(command, "ca_pem") || has(command, "cert_pem") || has(command, "pfx")) {
            options.sslContext(tls(command));
        }
        return options.build();
    }

    private static void onStatus(ConnectionStatusChangeContext context) {
        JsonObject fields = new JsonObject();
        fields.addProperty("status", context.getNewStatus().name());
        fields.addProperty("reason", context.getNewStatusReason().name());
        if (context.getCause() != null) {
            fields.add("error", chain(context.getCause()));
        }
        emit("status", fields);
    }

    private static IotHubMessageResult onMessage(Message message) {
        JsonObject fields = new JsonObject();
        fields.addProperty("message_id", message.getMessageId());
        fields.addProperty("size", message.getBytes().length);
        emit("c2d", fields);
        return IotHubMessageResult.COMPLETE;
    }

    private static DirectMethodResponse onMethod(String name) {
        emit("method", field("name", new JsonPrimitive(name)));
        return new DirectMethodResponse(200, Collections.emptyMap());
    }

    /** Connect, then listen to what was asked for; the calls return when the hub has agreed. */
    private void open() throws Exception {
        client.open(false);
        if (isAsked("methods")) {
            client.subscribeToMethods((name, payload, nothing) -> onMethod(name), null);
        }
        if (isAsked("twin")) {
            client.subscribeToDesiredProperties((twin, nothing) -> {
                Integer version = twin.getDesiredProperties().getVersion();
                emit("twin", field("version", version == null ? JsonNull.INSTANCE : new JsonPrimitive(version)));
            }, null);
        }
        for (String name : List.of("c2d", "methods", "twin")) {
            if (isAsked(name)) {
                settings.addProperty(name, true);
            }
        }
        emit("opened", field("settings", settings));
    }

    private boolean isAsked(String name) {
        return has(command, name) && command.get(name).getAsBoolean();
    }

    private interface Call {
        /** Make a call of the SDK; whatever ends later than it completes {@code ended}. */
        void make(CompletableFuture<Void> ended) throws Exception;
    }

    /** Make a call without waiting for it; what it throws becomes the event {@code failed}. */
    private void call(String failed, JsonObject fields, Call call) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        underWay.add(ended);
        ended.thenRun(() -> underWay.remove(ended));
        calls.execute(() -> {
            try {
                call.make(ended);
            } catch (Exception problem) {
                emit(failed, withError(fields, problem));
                ended.complete(null);
            }
        });
    }

    private void send(JsonElement id) {
        call("send_failed", field("id", id), ended -> {
            Message message = new Message("{\"id\":" + id + "}");
            message.setMessageId(id.toString());
            client.sendEventAsync(message, (sent, problem, nothing) -> {
                JsonObject fields = field("id", id);
                emit(problem == null ? "sent" : "send_failed", problem == null ? fields : withError(fields, problem));
                ended.complete(null);
            }, null);
        });
    }

    /** Settle, close, report how that went. */
    private void close() throws InterruptedException {
        within(SETTLE_S, CompletableFuture.allOf(underWay.toArray(new CompletableFuture<?>[0])));
        CompletableFuture<Void> closing = CompletableFuture.runAsync(() -> {
            client.close();
            emit("closed", new JsonObject());
        }, task -> new Thread(task).start());
        Throwable problem = within(CLOSE_S, closing);
        if (problem != null) {
            emit("close_failed", withError(new JsonObject(), problem));
        }
    }

    /** Why something did not go well within so many seconds, or null. */
    private static Throwable within(long seconds, CompletableFuture<Void> something) throws InterruptedException {
        try {
            something.get(seconds, TimeUnit.SECONDS);
            return null;
        } catch (TimeoutException late) {
            return new TimeoutException("it did not return within " + seconds + " s");
        } catch (ExecutionException failure) {
            return failure.getCause();
        }
    }

    /** TLS as the SDK has it by default, but for whom it trusts and who it is. */
    private static SSLContext tls(JsonObject command) throws GeneralSecurityException, IOException {
        KeyStore trusted = null;
        if (has(command, "ca_pem")) {
            trusted = emptyStore();
            for (Certificate certificate : certificates(text(command, "ca_pem"))) {
                trusted.setCertificateEntry("ca-" + trusted.size(), certificate);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        char[] password = has(command, "pfx_password") ? text(command, "pfx_password").toCharArray() : new char[0];
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(identity(command, password), password);
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore identity(JsonObject command, char[] password) throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        if (has(command, "pfx")) {
            try (InputStream file = new FileInputStream(text(command, "pfx"))) {
                store.load(file, password);
            }
        } else if (has(command, "cert_pem")) {
            Certificate[] chain = certificates(text(command, "cert_pem")).toArray(new Certificate[0]);
            String encoded = text(command, "key_pem").replaceAll("-----[A-Z ]+-----|\\s", "");
            PKCS8EncodedKeySpec specification = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(encoded));
            PrivateKey key = KeyFactory.getInstance(chain[0].getPublicKey().getAlgorithm()).generatePrivate(specification);
            store.setKeyEntry("device", key, password, chain);
        }
        return store;
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(String pem) throws GeneralSecurityException {
        byte[] bytes = pem.getBytes(StandardCharsets.US_ASCII);
        return CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes));
    }

    /** Write one event. */
    private static void emit(String name, JsonObject fields) {
        JsonObject event = new JsonObject();
        event.addProperty("event", name);
        event.addProperty("t", BigDecimal.valueOf(System.currentTimeMillis(), 3));
        fields.entrySet().forEach(entry -> event.add(entry.getKey(), entry.getValue()));
        byte[] line = (event + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (EVENTS) {
            try {
                EVENTS.write(line);
            } catch (IOException nobodyReads) {
                Runtime.getRuntime().halt(1);
            }
        }
    }

    private static JsonObject field(String name, JsonElement value) {
        JsonObject fields = new JsonObject();
        fields.add(name, value);
        return fields;
    }

    private static JsonObject withError(JsonObject fields, Throwable problem) {
        fields.add("error", chain(problem));
        return fields;
    }

    /** An exception and its causes as the protocol has them: outermost first, native class names, first line of the message. */
    private static JsonArray chain(Throwable problem) {
        JsonArray links = new JsonArray();
        for (Throwable at = problem; at != null && links.size() < LONGEST_CHAIN; at = at.getCause()) {
            JsonObject link = new JsonObject();
            link.addProperty("class", at.getClass().getName());
            link.addProperty("message", String.valueOf(at.getMessage() == null ? "" : at.getMessage()).split("\\R", 2)[0]);
            links.add(link);
        }
        return links;
    }

    private static boolean has(JsonObject command, String name) {
        return command.has(name) && !command.get(name).isJsonNull();
    }

    /** The text in a field that a command cannot do without. */
    private static String text(JsonObject command, String name) {
        JsonElement value = command.get(name);
        if (value == null || !value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw new IllegalArgumentException(name + " is missing or no string");
        }
        return value.getAsString();
    }

    private static JsonElement number(JsonObject command, String name) {
        JsonElement value = command.get(name);
        if (value == null || !value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw new IllegalArgumentException(name + " is missing or no number");
        }
        return value;
    }

    /** Make the device and let it connect; an exception while building it is {@code open_failed} at once. */
    private static Device start(JsonObject command) {
        try {
            Device device = new Device(command);
            device.call("open_failed", new JsonObject(), ended -> {
                device.open();
                ended.complete(null);
            });
            return device;
        } catch (Exception problem) {
            emit("open_failed", withError(new JsonObject(), problem));
            return null;
        }
    }

    /** Carry out commands until {@code close} or the end of stdin. */
    private static void serve(BufferedReader commands) throws IOException, InterruptedException {
        Device device = null;
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            JsonElement name = JsonNull.INSTANCE;
            try {
                JsonObject command = JsonParser.parseString(line).getAsJsonObject();
                name = new JsonPrimitive(text(command, "cmd"));
                if (name.getAsString().equals("close")) {
                    break;
                } else if (name.getAsString().equals("open") && device == null) {
                    text(command, "transport");
                    text(command, "connection_string");
                    device = start(command);
                } else if (name.getAsString().equals("send") && device != null) {
                    device.send(number(command, "id"));
                } else if (name.getAsString().equals("token") && device != null) {
                    device.supply(text(command, "sas"));
                } else {
                    emit("bad_command", field("cmd", name));
                }
            } catch (RuntimeException problem) {
                emit("bad_command", withError(field("cmd", name), problem));
            }
        }
        if (device != null) {
            device.close();
        }
    }

    private static JsonObject hello() throws IOException {
        Properties sdk = new Properties();
        try (InputStream about = DeviceClient.class.getResourceAsStream(ABOUT_THE_SDK)) {
            sdk.load(about);
        }
        JsonObject fields = new JsonObject();
        fields.addProperty("protocol", 1);
        fields.addProperty("sdk", "java");
        fields.addProperty("sdk_version", sdk.getProperty("version"));
        fields.addProperty("runtime", "Java " + System.getProperty("java.version"));
        fields.add("transports", list(List.of("mqtt", "mqtt-ws", "amqp", "amqp-ws", "https")));
        fields.add("capabilities", list(CAPABILITIES));
        return fields;
    }

    private static JsonArray list(Collection<String> texts) {
        JsonArray list = new JsonArray();
        texts.forEach(list::add);
        return list;
    }

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err); // standard output belongs to the protocol, and is written by `emit` alone
        Thread.setDefaultUncaughtExceptionHandler((thread, problem) -> {
            problem.printStackTrace();
            emit("background_exception", withError(field("callback", new JsonPrimitive("uncaughtException")), problem));
        });
        emit("hello", hello());
        serve(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        Runtime.getRuntime().halt(0); // threads of the SDK may still be blocked
    }
}
