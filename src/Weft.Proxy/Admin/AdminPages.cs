// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Weft.Proxy.Control;
using Weft.Proxy.Life;

namespace Weft.Proxy.Admin;

/// <summary>Which pages there are, port by port (ARCHITECTURE.md lists the ports).</summary>
internal sealed class AdminPages(IProxyView proxy, Bootstrap bootstrap, TimeProvider clock)
{
    private const string PrometheusText = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>15000, loopback only: everything.</summary>
    public AdminRoutes Admin() => new(
        new("/ready", false, "LIVE when traffic is served", Ready),
        new("/config_dump", false, "the plan in force, as Envoy shows it", ConfigDump),
        new("/clusters", false, "every endpoint and its figures", () => AdminAnswer.Text(proxy.Clusters())),
        new("/listeners", false, "where connections are taken", () => AdminAnswer.Text(Listeners())),
        new("/certs", false, "the workload's certificate and the roots", () => AdminAnswer.Json(Certificates())),
        new("/server_info", false, "version, state and age", () => AdminAnswer.Json(ServerInformation())),
        new("/stats", false, "metrics", Metrics),
        new("/stats/prometheus", false, "metrics", Metrics),
        new("/metrics", false, "metrics", Metrics),
        new("/drain_listeners", true, "stop taking connections; ?inboundonly spares the workload's own, &graceful lets them still come for the drain time", Drain),
        new("/healthcheck/fail", true, "not ready, and clients are asked to leave", () => Do(() => proxy.SetHealth(good: false))),
        new("/healthcheck/ok", true, "takes /healthcheck/fail back", () => Do(() => proxy.SetHealth(good: true))),
        new("/quitquitquit", true, "drain and end", () => Do(proxy.Quit)));

    /// <summary>15020 and 15090.</summary>
    public AdminRoutes Prometheus() => new(
        new("/stats/prometheus", false, "metrics", Metrics),
        new("/metrics", false, "metrics", Metrics),
        new("/healthz/ready", false, "200 when traffic is served", Ready));

    /// <summary>15021: what readiness probes ask.</summary>
    public AdminRoutes Status() => new(new AdminRoute("/healthz/ready", false, "200 when traffic is served", Ready));

    private AdminAnswer Ready() => proxy.NotReady is { } reason ? AdminAnswer.Text($"{reason}\n", 503) : AdminAnswer.Text("LIVE\n");

    private AdminAnswer Metrics() => new(200, PrometheusText, Encoding.UTF8.GetBytes(proxy.Metrics()));

    private AdminAnswer ConfigDump() => AdminAnswer.Json(proxy.ConfigDump());

    private AdminAnswer Drain(string[] query)
    {
        var scope = query.Contains("inboundonly") ? DrainScope.Inbound : DrainScope.All;
        return Do(() => proxy.DrainListeners(scope, query.Contains("graceful")));
    }

    private static AdminAnswer Do(Action action) => AdminAnswer.Text("OK\n") with { Afterwards = action };

    private string Listeners()
    {
        var text = new StringBuilder();
        foreach (var listener in proxy.Plan.Listeners)
        {
            if (listener.BindToPort)
            {
                text.Append(CultureInfo.InvariantCulture, $"{listener.Name}::{listener.Address}:{listener.Port}\n");
            }
        }

        return text.ToString();
    }

    private byte[] ServerInformation() => Json(writer =>
    {
        writer.WriteString("version", ProxyVersion.Text);
        writer.WriteString("state", proxy.NotReady is null ? "LIVE" : proxy.IsDraining ? "DRAINING" : "PRE_INITIALIZING");
        writer.WriteString("uptime_current_epoch", $"{(long)(clock.GetUtcNow() - proxy.StartedAt).TotalSeconds}s");
        writer.WriteStartObject("node");
        writer.WriteString("id", bootstrap.Node.Id);
        writer.WriteString("cluster", bootstrap.Node.Cluster);
        writer.WriteEndObject();
    });

    private byte[] Certificates() => Json(writer =>
    {
        writer.WriteStartArray("certificates");
        if (proxy.Identity is { } identity)
        {
            writer.WriteStartObject();
            WriteCertificates(writer, "ca_cert", identity.RootsPem);
            WriteCertificates(writer, "cert_chain", identity.ChainPem);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private void WriteCertificates(Utf8JsonWriter writer, string name, string pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(pem);
        writer.WriteStartArray(name);
        foreach (var certificate in certificates)
        {
            using (certificate)
            {
                var expiration = new DateTimeOffset(certificate.NotAfter).ToUniversalTime();
                writer.WriteStartObject();
                writer.WriteString("serial_number", certificate.SerialNumber.ToLowerInvariant());
                writer.WriteString("valid_from", new DateTimeOffset(certificate.NotBefore).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
                writer.WriteString("expiration_time", expiration.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
                writer.WriteNumber("days_until_expiration", Math.Max(0, (int)(expiration - clock.GetUtcNow()).TotalDays));
                writer.WriteEndObject();
            }
        }

        writer.WriteEndArray();
    }

    private static byte[] Json(Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
