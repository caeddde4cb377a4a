// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Wire.Plans;
using Weft.Wire.Tests.Ads;
using Xunit;

namespace Weft.Wire.Tests.Plans;

/// <summary>What is not understood is named, never dropped silently.</summary>
public sealed class DecodeTests
{
    [Fact]
    public void A_field_outside_the_subset_is_a_warning_with_its_number()
    {
        // Cluster: field 13 (http_protocol_options) with a message, field 47 with a flag.
        var body = ByteString.CopyFrom([.. Small().ToByteArray(), (13 << 3) | 2, 2, 8, 1, 0xF8, 2, 1]);
        var decoded = PlanDecoder.Decode(TypeUrls.Cluster, "c", body);
        Assert.NotNull(decoded.Part);
        Assert.Equal(
            ["CDS c: field 13 of Cluster is not supported and has no effect", "CDS c: field 47 of Cluster is not supported and has no effect"],
            decoded.Warnings.Select(w => w.ToString()));
    }

    [Fact]
    public void A_field_outside_the_subset_deep_inside_is_found_too()
    {
        // Listener.filter_chains[0].filter_chain_match.source_ports.
        var match = ByteString.CopyFrom((7 << 3) | 2, 1, 5);
        var chain = Nested(1, match);
        var listener = new Listener { Name = "l", Address = Address() };
        var body = ByteString.CopyFrom([.. listener.ToByteArray(), .. Nested(3, chain).ToByteArray()]);
        var decoded = PlanDecoder.Decode(TypeUrls.Listener, "l", body);
        Assert.Contains(decoded.Warnings, w => w.Fact.StartsWith("field 3.1.7 of Listener", StringComparison.Ordinal));
    }

    [Fact]
    public void An_error_names_the_resource_and_the_field()
    {
        var table = new RouteConfiguration
        {
            Name = "80",
            VirtualHosts =
            {
                new VirtualHost
                {
                    Name = "v",
                    Domains = { "a" },
                    Routes = { new Route { Match = new RouteMatch { SafeRegex = MatchEncoder.Regex("(") }, Route_ = new RouteAction { Cluster = "c" } } },
                },
                new VirtualHost { Name = "w", Domains = { "a" } },
            },
        };
        var decoded = PlanDecoder.Decode(TypeUrls.RouteTable, "80", table.ToByteString());
        Assert.Null(decoded.Part);
        Assert.Equal(2, decoded.Errors.Length);
        Assert.StartsWith("RDS 80: virtual_hosts[0].routes[0].match: \"(\" is no usable regular expression", decoded.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Equal("RDS 80: virtual_hosts[1]: domain \"a\" belongs to another virtual host already", decoded.Errors[1].ToString());
    }

    [Fact]
    public void A_connect_that_would_be_sent_on_is_warned_of()
    {
        var route = new Route
        {
            Match = new RouteMatch { ConnectMatcher = new RouteMatch.Types.ConnectMatcher() },
            Route_ = new RouteAction { Cluster = "c", UpgradeConfigs = { new RouteAction.Types.UpgradeConfig { UpgradeType = "CONNECT" } } },
        };
        var table = new RouteConfiguration { Name = "80", VirtualHosts = { new VirtualHost { Name = "v", Domains = { "a" }, Routes = { route } } } };
        var decoded = PlanDecoder.Decode(TypeUrls.RouteTable, "80", table.ToByteString());
        Assert.Empty(decoded.Errors);
        Assert.Contains("sending it on", Assert.Single(decoded.Warnings).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not an address", 80, "is no IP address")]
    [InlineData("10.0.0.1", 0, "is not between 1 and 65535")]
    [InlineData("10.0.0.1", 70000, "is not between 1 and 65535")]
    public void A_bad_address_is_refused(string address, uint port, string fact)
    {
        var listener = new Listener { Name = "l", Address = new Address { SocketAddress = new SocketAddress { Address = address, PortValue = port } } };
        var decoded = PlanDecoder.Decode(TypeUrls.Listener, "l", listener.ToByteString());
        Assert.Contains(fact, Assert.Single(decoded.Errors).Fact, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_filter_or_secret_or_type_is_refused_not_skipped()
    {
        var listener = new Listener
        {
            Name = "l",
            Address = Address(),
            FilterChains = { new FilterChain { Filters = { new Filter { TypedConfig = new Any { TypeUrl = "type.googleapis.com/x.Rbac" } } } } },
        };
        Assert.Contains(PlanDecoder.Decode(TypeUrls.Listener, "l", listener.ToByteString()).Errors, e => e.Field == "filter_chains[0].filters");
        var cluster = Small();
        cluster.Type = (Cluster.Types.DiscoveryType)99;
        cluster.LbPolicy = Cluster.Types.LbPolicy.LoadBalancingPolicyConfig;
        Assert.Equal(2, PlanDecoder.Decode(TypeUrls.Cluster, "c", cluster.ToByteString()).Errors.Length);
        Assert.Single(PlanDecoder.Decode("x", "c", ByteString.Empty).Errors);
    }

    [Fact]
    public void A_resource_must_bear_the_name_under_which_it_came() =>
        Assert.Contains("calls itself \"c\"", Assert.Single(PlanDecoder.Decode(TypeUrls.Cluster, "d", Small().ToByteString()).Errors).Fact, StringComparison.Ordinal);

    [Fact]
    public void Too_large_a_resource_names_the_limit()
    {
        var body = ByteString.CopyFrom(new byte[WireLimits.MaxResourceBytes + 1]);
        Assert.Contains("MaxResourceBytes", Assert.Single(PlanDecoder.Decode(TypeUrls.Cluster, "c", body).Errors).Fact, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_long_a_regular_expression_is_refused()
    {
        var scope = new DecodeScope(TypeUrls.RouteTable, "t");
        scope.Regex(MatchEncoder.Regex(new string('a', WireLimits.MaxRegexLength)));
        Assert.Empty(scope.Errors);
        scope.Regex(MatchEncoder.Regex(new string('a', WireLimits.MaxRegexLength + 1)));
        Assert.Single(scope.Errors);
    }

    [Fact]
    public void Damaged_bytes_never_throw() => Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
    {
        var random = new Random(seed);
        foreach (var resource in new PlanEncoder().Encode(PlanMaker.Plan(seed)).All)
        {
            var bytes = resource.Body.ToByteArray();
            for (var i = 0; i < 3 && bytes.Length > 0; i++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var decoded = PlanDecoder.Decode(resource.TypeUrl, resource.Name, ByteString.CopyFrom(bytes));
            Assert.Equal(decoded.Part is null, !decoded.Errors.IsEmpty);
        }

        return true;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void The_names_in_a_listeners_chain_come_from_the_encoder() =>
        Assert.Equal(
            ["0.0.0.0_80"], new PlanEncoder().Encode(SmallMesh.Plan("a")).Listeners.Select(l => l.Name));

    private static Cluster Small() => new() { Name = "c", Type = Cluster.Types.DiscoveryType.Static };

    private static Address Address() => new() { SocketAddress = new SocketAddress { Address = "10.0.0.1", PortValue = 80 } };

    private static ByteString Nested(int field, ByteString inner) =>
        ByteString.CopyFrom([(byte)((field << 3) | 2), (byte)inner.Length, .. inner.ToByteArray()]);
}
