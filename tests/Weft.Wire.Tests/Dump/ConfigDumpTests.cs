// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Weft.Model.Plan;
using Weft.Wire.Dump;
using Weft.Wire.Plans;
using Weft.Wire.Tables;
using Weft.Wire.Tests.Ads;
using Weft.Wire.Tests.Plans;
using Xunit;

namespace Weft.Wire.Tests.Dump;

public sealed class ConfigDumpTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] _actions = ["route", "redirect", "direct_response"];

    [Fact]
    public void Every_plan_can_be_dumped_and_its_tables_have_a_row_for_every_part() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            var plan = PlanMaker.Plan(seed);
            using var dump = Dump(plan);
            var root = dump.RootElement;
            var filter = new TableFilter();
            return ProxyConfigTables.Clusters(root, filter).Rows.Count == plan.Clusters.Count
                && ProxyConfigTables.Endpoints(root, filter).Rows.Count == plan.Endpoints.Sum(e => e.Endpoints.Count)
                && ProxyConfigTables.Listeners(root, filter).Rows.Count ==
                    plan.Listeners.Sum(l => l.Chains.Count + (l.DefaultChain is null ? 0 : 1));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void The_dump_says_what_the_wire_says() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            var plan = PlanMaker.Plan(seed);
            using var dump = Dump(plan);
            var encoded = new PlanEncoder().Encode(plan);
            var tables = ProxyConfigTables.Section(dump.RootElement, "RoutesConfigDump", "dynamic_route_configs").ToList();
            for (var i = 0; i < encoded.RouteTables.Length; i++)
            {
                var wire = Envoy.Config.Route.V3.RouteConfiguration.Parser.ParseFrom(encoded.RouteTables[i].Body);
                var json = tables[i].GetProperty("route_config");
                Assert.Equal(wire.VirtualHosts.Select(h => h.Name), json.GetProperty("virtual_hosts").EnumerateArray().Select(h => h.GetProperty("name").GetString()));
                Assert.Equal(
                    wire.VirtualHosts.SelectMany(h => h.Routes).Select(r => r.ActionCase.ToString().TrimEnd('_').ToLowerInvariant().Replace("response", "_response", StringComparison.Ordinal)),
                    json.GetProperty("virtual_hosts").EnumerateArray().SelectMany(h => h.GetProperty("routes").EnumerateArray())
                        .Select(r => _actions.Single(a => r.TryGetProperty(a, out _))));
                Assert.Equal(encoded.RouteTables[i].Version, tables[i].GetProperty("version_info").GetString());
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void The_dump_of_a_cluster_has_the_fields_of_the_wire() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            var plan = PlanMaker.Plan(seed);
            using var dump = Dump(plan);
            var clusters = ProxyConfigTables.Section(dump.RootElement, "ClustersConfigDump", "dynamic_active_clusters")
                .Select(c => c.GetProperty("cluster")).ToList();
            var encoded = new PlanEncoder().Encode(plan).Clusters;
            for (var i = 0; i < encoded.Length; i++)
            {
                var wire = Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(encoded[i].Body);
                Same(wire.CircuitBreakers, clusters[i], "circuit_breakers");
                Same(wire.OutlierDetection, clusters[i], "outlier_detection");
                Same(wire.CommonLbConfig, clusters[i], "common_lb_config");
                Same(wire.RingHashLbConfig, clusters[i], "ring_hash_lb_config");
                Same(wire.MaglevLbConfig, clusters[i], "maglev_lb_config");
                Same(wire.RoundRobinLbConfig, clusters[i], "round_robin_lb_config");
                Same(wire.LeastRequestLbConfig, clusters[i], "least_request_lb_config");
                Same(wire.UpstreamConnectionOptions, clusters[i], "upstream_connection_options");
                Assert.Equal(wire.LbPolicy.ToString().ToUpperInvariant(), clusters[i].GetProperty("lb_policy").GetString()!.Replace("_", "", StringComparison.Ordinal));
                var check = clusters[i].TryGetProperty("health_checks", out var checks) ? checks[0] : default;
                Assert.Equal(wire.HealthChecks.Count == 0 ? [] : Leaves(Json(wire.HealthChecks[0]), ""), Leaves(check, ""));
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void The_sections_are_envoys()
    {
        using var dump = Dump(SmallMesh.Plan("a"));
        Assert.Equal(
            ["Bootstrap", "Clusters", "Listeners", "Routes", "Secrets", "Endpoints"],
            dump.RootElement.GetProperty("configs").EnumerateArray()
                .Select(c => c.GetProperty("@type").GetString()!["type.googleapis.com/envoy.admin.v3.".Length..^"ConfigDump".Length]));
        var listener = ProxyConfigTables.Section(dump.RootElement, "ListenersConfigDump", "dynamic_listeners").Single();
        Assert.Equal("0.0.0.0_80", listener.GetProperty("active_state").GetProperty("listener").GetProperty("name").GetString());
        Assert.Equal("2026-11-21T12:00:00.000Z", listener.GetProperty("active_state").GetProperty("last_updated").GetString());
    }

    [Fact]
    public void Tables_are_left_aligned_with_five_spaces()
    {
        using var dump = Dump(SmallMesh.Plan("a", "bb"));
        Assert.Equal(
            """
            SERVICE FQDN     PORT     SUBSET     DIRECTION     TYPE     DESTINATION RULE
            a                80       -          outbound      EDS      
            bb               80       -          outbound      EDS      

            """,
            ProxyConfigTables.Clusters(dump.RootElement, new TableFilter()).ToString());
        Assert.Equal(
            """
            ADDRESSES     PORT     MATCH     DESTINATION
            0.0.0.0       80       ALL       Route: 80

            """,
            ProxyConfigTables.Listeners(dump.RootElement, new TableFilter()).ToString());
        Assert.Equal(
            """
            NAME     VHOST NAME     DOMAINS     MATCH     VIRTUAL SERVICE
            80       a              a           /*        
            80       bb             bb          /*        

            """,
            ProxyConfigTables.Routes(dump.RootElement, new TableFilter()).ToString());
        Assert.Equal(
            """
            ENDPOINT          STATUS      OUTLIER CHECK     CLUSTER
            10.0.0.1:8080     HEALTHY     OK                outbound|80||a

            """,
            ProxyConfigTables.Endpoints(dump.RootElement, new TableFilter(Cluster: "outbound|80||a")).ToString());
    }

    [Fact]
    public void Filters_choose_rows()
    {
        using var dump = Dump(SmallMesh.Plan("a", "bb"));
        var root = dump.RootElement;
        Assert.Single(ProxyConfigTables.Clusters(root, new TableFilter(Fqdn: "bb")).Rows);
        Assert.Empty(ProxyConfigTables.Clusters(root, new TableFilter(Port: 81)).Rows);
        Assert.Empty(ProxyConfigTables.Clusters(root, new TableFilter(Direction: "inbound")).Rows);
        Assert.Empty(ProxyConfigTables.Routes(root, new TableFilter(Name: "81")).Rows);
        Assert.Empty(ProxyConfigTables.Endpoints(root, new TableFilter(Status: "UNHEALTHY")).Rows);
    }

    [Fact]
    public void Secrets_show_certificates_and_never_a_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(_now.AddHours(-1), _now.AddHours(1));
        var pem = certificate.ExportCertificatePem();
        var bytes = ConfigDump.Write(ProxyPlan.Empty, Facts(ProxyPlan.Empty) with { ChainPem = pem, RootsPem = pem });
        using var dump = JsonDocument.Parse(bytes);
        var serial = certificate.SerialNumber.ToLowerInvariant();
        Assert.Equal(
            [
                ["default", "Cert Chain", "ACTIVE", "true", serial, "2026-11-21T13:00:00Z", "2026-11-21T11:00:00Z"],
                ["ROOTCA", "CA", "ACTIVE", "true", serial, "2026-11-21T13:00:00Z", "2026-11-21T11:00:00Z"],
            ],
            ProxyConfigTables.Secrets(dump.RootElement, _now).Rows);
        Assert.Equal("false", ProxyConfigTables.Secrets(dump.RootElement, _now.AddHours(2)).Rows[0][3]);
        Assert.DoesNotContain("private_key", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_that_is_no_dump_gives_empty_tables()
    {
        using var dump = JsonDocument.Parse("""{"configs":[1,{"@type":"x"},{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump"}]}""");
        Assert.Empty(ProxyConfigTables.Clusters(dump.RootElement, new TableFilter()).Rows);
        Assert.Empty(ProxyConfigTables.Listeners(dump.RootElement, new TableFilter()).Rows);
        Assert.Empty(ProxyConfigTables.Secrets(dump.RootElement, _now).Rows);
    }

    private static JsonDocument Dump(ProxyPlan plan) => JsonDocument.Parse(ConfigDump.Write(plan, Facts(plan)));

    private static DumpFacts Facts(ProxyPlan plan)
    {
        var versions = new PlanEncoder().Encode(plan).All.ToDictionary(r => (r.TypeUrl, r.Name), r => r.Version);
        return new DumpFacts(
            "sidecar~10.0.0.1~a.b~b.svc.cluster.local",
            "a.b",
            new Dictionary<string, string> { ["NAMESPACE"] = "b" },
            "0.1.0",
            null,
            null,
            _now,
            (type, name) => versions.GetValueOrDefault((type, name)));
    }

    private static void Same(Google.Protobuf.IMessage? wire, JsonElement cluster, string field) => Assert.Equal(
        wire is null ? [] : Leaves(Json(wire), ""), cluster.TryGetProperty(field, out var dumped) ? Leaves(dumped, "") : []);

    private static JsonElement Json(Google.Protobuf.IMessage message)
    {
        var formatter = new Google.Protobuf.JsonFormatter(Google.Protobuf.JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));
        return JsonDocument.Parse(formatter.Format(message)).RootElement.Clone();
    }

    /// <summary>Every value with its path; what is as if it were not said is left out.</summary>
    private static List<string> Leaves(JsonElement json, string path) => json.ValueKind switch
    {
        JsonValueKind.Undefined => [],
        JsonValueKind.Object => [.. json.EnumerateObject().SelectMany(p => Leaves(p.Value, $"{path}.{p.Name}")).Order(StringComparer.Ordinal)],
        JsonValueKind.Array => [.. json.EnumerateArray().SelectMany(e => Leaves(e, $"{path}[]"))],
        _ when json.ToString() is "0" or "" or "False" => [],
        _ => [$"{path}={json}"],
    };
}
