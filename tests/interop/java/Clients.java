// clickhouse-jdbc and its client-v2 against a running server, as an application uses them: connect, typed reads,
// metadata, parameters, limits, errors, compression. Ends with an error at the first difference.

import com.clickhouse.client.api.Client;
import com.clickhouse.client.api.data_formats.ClickHouseBinaryFormatReader;
import com.clickhouse.client.api.query.QueryResponse;
import com.clickhouse.client.api.query.QuerySettings;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

public final class Clients {
    private static final String ADDRESS =
            System.getenv("CAIRN_HOST") + ":" + System.getenv("CAIRN_PORT");
    private static final long BASE_S = Long.parseLong(System.getenv("CAIRN_BASE_S"));

    private static void same(String what, Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError(what + "\n  found    " + found + "\n  expected " + expected);
        }
    }

    private static Connection connect(String compress) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "default");
        properties.setProperty("password", "");
        properties.setProperty("compress", compress);
        return DriverManager.getConnection("jdbc:clickhouse://" + ADDRESS + "/default", properties);
    }

    private static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows.next()) {
            values.add(rows.getString(name));
        }
        return values;
    }

    private static void readsLogs(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM otel_logs ORDER BY Timestamp")) {
            same("a row", rows.next(), true);
            same("service", rows.getString("ServiceName"), "checkout");
            same("severity", rows.getInt("SeverityNumber"), 17);
            same("body", rows.getString("Body"), "charging failed: it's \"declined\" \\ déjà vu 世界\tend");
            same("attributes", rows.getObject("LogAttributes"),
                    Map.of("order.id", "4711", "reason", "card's limit", "text", "grüße, 世界"));
            var at = rows.getTimestamp("Timestamp").toInstant().atOffset(ZoneOffset.UTC);
            same("second", at.toEpochSecond(), BASE_S);
            same("nanoseconds", at.getNano(), 123456789);
            same("others", column(rows, "ServiceName"), List.of("checkout", "cart"));
        }
    }

    private static void readsTraces(Connection connection) throws SQLException {
        String text = "SELECT * FROM otel_traces WHERE SpanKind = 'Server'";
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(text)) {
            same("a row", rows.next(), true);
            same("duration", rows.getLong("Duration"), 500_000_000L);
            same("events", List.of((Object[]) rows.getArray("Events.Name").getArray()),
                    List.of("queue.wait", "retry"));
            same("event attributes", List.of((Object[]) rows.getArray("Events.Attributes").getArray()),
                    List.of(Map.of("depth", "3"), Map.of()));
        }
    }

    private static void readsTypes(Connection connection) throws SQLException {
        String text = "SELECT toUInt64(18446744073709551615) AS u, CAST(NULL AS Nullable(String)) AS n, "
                + "toNullable(toUInt8(5)) AS v, CAST('a' AS LowCardinality(String)) AS lc, "
                + "toDate('2026-08-20') AS d, true AS b, 1.5 AS f, "
                + "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id";
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(text)) {
            same("a row", rows.next(), true);
            same("largest", rows.getObject("u"), new BigInteger("18446744073709551615"));
            same("null", rows.getString("n"), null);
            same("small", rows.getInt("v"), 5);
            same("label", rows.getString("lc"), "a");
            same("day", rows.getDate("d").toString(), "2026-08-20");
            same("flag and float", List.of(rows.getBoolean("b"), rows.getDouble("f")), List.of(true, 1.5));
            same("uuid", rows.getObject("id").toString(), "61f0c404-5cb3-11e7-907b-a6006ad3dba0");
        }
    }

    private static void readsMetadata(Connection connection) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        same("version", metadata.getDatabaseProductVersion().startsWith("25.8"), true);
        try (ResultSet tables = metadata.getTables(null, "default", "otel_%", null)) {
            same("tables", column(tables, "TABLE_NAME").containsAll(List.of("otel_logs", "otel_traces")), true);
        }
        try (ResultSet schemas = metadata.getSchemas()) {
            same("schemas", column(schemas, "TABLE_SCHEM").contains("default"), true);
        }
        try (ResultSet columns = metadata.getColumns(null, "default", "otel_logs", "%")) {
            List<String> names = column(columns, "COLUMN_NAME");
            same("first column", names.get(0), "Timestamp");
            same("attributes", names.contains("LogAttributes"), true);
        }
        try (ResultSet types = metadata.getTypeInfo()) {
            same("types", column(types, "TYPE_NAME").contains("UInt64"), true);
        }
        try (ResultSet functions = metadata.getFunctions(null, null, "%")) {
            same("functions", functions.next(), true);
        }
    }

    private static void takesParameters(Connection connection) throws SQLException {
        String text = "SELECT count() FROM otel_logs WHERE ServiceName = ? AND Timestamp >= ?";
        try (PreparedStatement statement = connection.prepareStatement(text)) {
            statement.setString(1, "checkout");
            statement.setTimestamp(2, new java.sql.Timestamp(BASE_S * 1000));
            try (ResultSet rows = statement.executeQuery()) {
                same("a row", rows.next(), true);
                same("count", rows.getLong(1), 2L);
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.setMaxRows(5);
            try (ResultSet rows = statement.executeQuery("SELECT number FROM numbers(100)")) {
                int count = 0;
                while (rows.next()) {
                    count++;
                }
                same("at most", count <= 5, true);
            }
        }
    }

    private static void streams(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT number, toString(number) FROM numbers(200000)")) {
            long count = 0;
            while (rows.next()) {
                count++;
            }
            same("streamed", count, 200_000L);
        }
    }

    private static void fails(Connection connection, String text, int code) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(text)) {
            throw new AssertionError("no error: " + text + " " + rows);
        } catch (SQLException error) {
            boolean named = error.getErrorCode() == code || error.getMessage().contains("Code: " + code + ".");
            same(text + ": " + error.getMessage(), named, true);
        }
    }

    private static void clientV2() throws Exception {
        try (Client client = new Client.Builder().addEndpoint("http://" + ADDRESS)
                .setUsername("default").setPassword("").build()) {
            same("ping", client.ping(), true);
            Map<String, Object> parameters = Map.of("s", "checkout");
            String text = "SELECT ServiceName, LogAttributes, Timestamp FROM otel_logs "
                    + "WHERE ServiceName = {s:String} ORDER BY Timestamp";
            try (QueryResponse response = client.query(text, parameters, new QuerySettings()).get()) {
                ClickHouseBinaryFormatReader reader = client.newBinaryFormatReader(response);
                same("a row", reader.next() != null, true);
                same("service", reader.getString("ServiceName"), "checkout");
            }
            same("schema", client.getTableSchema("otel_logs", "default").getColumnByName("Body").getColumnName(), "Body");
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String compress : List.of("true", "false")) {
            try (Connection connection = connect(compress)) {
                same("valid", connection.isValid(5), true);
                readsLogs(connection);
                readsTraces(connection);
                readsTypes(connection);
                readsMetadata(connection);
                takesParameters(connection);
                streams(connection);
                fails(connection, "SELECT * FROM nosuch", 60);
                fails(connection, "SELECT nosuch FROM otel_logs", 47);
                fails(connection, "SELECT nosuch(1)", 46);
            }
        }
        clientV2();
        String version = DriverManager.getDriver("jdbc:clickhouse://" + ADDRESS).getClass().getPackage()
                .getImplementationVersion();
        System.out.println("clickhouse-jdbc " + System.getenv().getOrDefault("CAIRN_JDBC", String.valueOf(version))
                + " and client-v2 (Java " + System.getProperty("java.version") + "): ok");
    }
}
