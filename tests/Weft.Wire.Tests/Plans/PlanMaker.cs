// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Wire.Tests.Plans;

/// <summary>Makes plans that use every field, within what plans may say; the seed decides all.</summary>
internal sealed partial class PlanMaker(int seed)
{
    private readonly Random _random = new(seed);
    private int _names;

    public static ProxyPlan Plan(int seed) => new PlanMaker(seed).Plan();

    public ProxyPlan Plan() => new(
        Sorted(Many(4, Listener), l => l.Name),
        Sorted(Many(4, RouteTable), t => t.Name),
        Sorted(Many(5, Cluster), c => c.Name),
        Sorted(Many(5, () => new EndpointsPlan(Name(), Many(4, Endpoint))), e => e.Cluster))
    {
        Secrets = Sorted(Many(3, Secret), s => s.Name),
    };

    private ListenerPlan Listener() => new(
        Name(),
        Address(),
        Port(),
        Direction(),
        Coin(),
        Coin(),
        Coin(),
        Coin(),
        Ms(),
        Many(3, Chain),
        Maybe(Chain))
    {
        ProxyProtocol = Pick(Enum.GetValues<ProxyHeaderRule>()),
        MoreAddresses = Coin() ? ["::", "fd00:10:244::7"] : [],
    };

    private ChainPlan Chain()
    {
        var kind = _random.Next(3);
        return new ChainPlan(
            Name(),
            Coin() ? ChainMatchPlan.Any : new ChainMatchPlan(
                Coin() ? 0 : Port(),
                Many(2, () => $"{Address()}/{_random.Next(33)}"),
                Many(2, Name),
                Pick("", "tls", "raw_buffer"),
                Many(3, () => Pick("istio", "http/1.1", "h2c"))),
            Maybe(ServerTls),
            kind == 0 ? Http() : null,
            kind == 1 ? new TcpChainPlan(Name(), Some(3, TcpCluster), Ms()) { MaxConnectAttempts = _random.Next(1, 5) } : null,
            Maybe(Origin))
        {
            Hbone = kind == 2 ? new HboneChainPlan(Name(), Many(2, Address), Name(), Ms()) : null,
            Authorization = Many(2, Authorization),
        };
    }

    private HttpChainPlan Http() => (Coin()
        ? new HttpChainPlan(Name(), Name(), null, Direction())
        : new HttpChainPlan(Name(), "", RouteTable(), Direction())) with
    {
        AllowConnect = Coin(),
        Path = new PathPlan(Coin(), Coin(), Pick(Enum.GetValues<EscapedSlashes>())),
        Trust = new TrustPlan(
            Coin(), _random.Next(4), Pick(Enum.GetValues<ClientCertificateField>()), Pick(Enum.GetValues<UnderscoreNames>()), Coin()),
        Limits = Coin() ? HttpLimitsPlan.Default : Limits(),
        GrpcWeb = Coin(),
        RateLimit = Maybe(RateLimit),
        GlobalLimits = Many(2, GlobalLimit),
        Compressors = Many(2, () => new CompressorPlan(Pick(Enum.GetValues<ContentCoding>()), _random.Next(10), _random.Next(900), Some(3, () => "text/" + Name()))
        {
            SparesTagged = Coin(),
            HidesAccepted = Coin(),
        }),
    };

    private GlobalLimitPlan GlobalLimit() => new(Name(), Name(), _random.Next(1, 5_000))
    {
        Stage = _random.Next(11),
        Authority = Pick("", "limits.example"),
        Requests = Pick(Enum.GetValues<AskedRequests>()),
        DeniesOnFailure = Coin(),
        AsResourceExhausted = Coin(),
        ShowsHeaders = Coin(),
        HidesMark = Coin(),
        Status = Pick(429, 503),
        FailureStatus = Pick(500, 503),
        Headers = Many(2, () => new HeaderPlan("x-limit", Name())),
    };

    private RateDescriptorPlan Descriptor() => new(_random.Next(11), Some(3, RateAction));

    private RateActionPlan RateAction() => Pick(Enum.GetValues<RateActionKind>()) switch
    {
        RateActionKind.SourceCluster => new(RateActionKind.SourceCluster, "source_cluster", ""),
        RateActionKind.DestinationCluster => new(RateActionKind.DestinationCluster, "destination_cluster", ""),
        RateActionKind.RemoteAddress => new(RateActionKind.RemoteAddress, "remote_address", ""),
        RateActionKind.MaskedRemoteAddress => new(RateActionKind.MaskedRemoteAddress, "masked_remote_address", "") { V4Bits = _random.Next(33), V6Bits = _random.Next(129) },
        RateActionKind.HeaderMatch => new(RateActionKind.HeaderMatch, Name(), Name()) { ExpectsMatch = Coin(), Matches = Match().Headers },
        RateActionKind.QueryMatch => new(RateActionKind.QueryMatch, Name(), Name()) { ExpectsMatch = Coin(), Matches = Match().QueryParameters },
        RateActionKind.GenericKey => new(RateActionKind.GenericKey, Name(), Name()),
        var kind => new(kind, Name(), Pick("x-user", ":path")) { SkipsAbsent = Coin() },
    };

    private HttpLimitsPlan Limits() => new()
    {
        MaxHeadKilobytes = _random.Next(1, 64),
        MaxFields = _random.Next(1, 1025),
        HeadMs = Ms(),
        IdleMs = Ms(),
        ClientIdleMs = Ms(),
        StreamIdleMs = Ms(),
        MinBodyRate = _random.Next(1000),
        MaxBodyBytes = Pick(0, 1, 5_000_000_000),
        MaxRequests = _random.Next(100),
        MaxConnectionMs = Ms(),
    };

    private WeightedClusterPlan TcpCluster() =>
        new(Name(), _random.Next(1, 100), HeaderOperationsPlan.None, HeaderOperationsPlan.None);

    private RouteTablePlan RouteTable() => new(
        Name(), Many(3, () => new VirtualHostPlan(Name(), Some(3, Name), Many(4, Route))));

    private RoutePlan Route()
    {
        var action = _random.Next(3);
        return new RoutePlan(
            Name(),
            Match(),
            action == 0 ? Forward() : null,
            action == 1 ? Redirect() : null,
            action == 2 ? new DirectResponsePlan(_random.Next(200, 600), Pick("", "gone", "{\"a\":1}")) : null,
            Maybe(Fault),
            Operations(),
            Operations(),
            Origin())
        {
            MaxBodyBytes = Pick(0, 1, 5_000_000_000),
            Cors = Maybe(Cors),
            RateLimit = Maybe(RateLimit),
        };
    }

    private RateLimitPlan RateLimit() => new(
        Name(), Maybe(() => new TokenBucketPlan(_random.Next(1, 1_000), _random.Next(1, 9), _random.Next(50, 90_000))), _random.Next(1_000_001), _random.Next(1_000_001), Pick(429, 503), Many(2, () => new HeaderPlan("x-limit", Name())))
    {
        Descriptors = Many(2, () => new DescribedLimitPlan(Some(2, () => new DescriptorEntryPlan(Name(), Name())), new TokenBucketPlan(_random.Next(1, 9), 1, _random.Next(50, 900)))),
        Stage = _random.Next(11),
        AlwaysTakesCommon = Coin(),
        ShowsHeaders = Coin(),
        AsResourceExhausted = Coin(),
    };

    private CorsPlan Cors() => new(
        Many(3, () => Text(false) is { Kind: not TextMatchKind.Present } text ? text : new TextMatchPlan(TextMatchKind.Exact, "*")),
        Pick("", "GET,POST"),
        Pick("", "x-a"),
        Pick("", "x-b,x-c"),
        Pick(-1, 0, 86_400),
        Coin(),
        Coin());

    private RouteMatchPlan Match() => _random.Next(4) == 0
        ? PathMatch() with { Path = RouteMatchPlan.Everything.Path, Connect = true }
        : PathMatch();

    private RouteMatchPlan PathMatch() => new(
        new TextMatchPlan(
            Pick(TextMatchKind.Prefix, TextMatchKind.Exact, TextMatchKind.Regex), "/" + Name(), false, Coin()),
        Many(3, () => new NamedMatchPlan(Name(), Text(Coin()))),
        Many(2, () => new NamedMatchPlan(Name(), Text(false))));

    private TextMatchPlan Text(bool invert)
    {
        var kind = Pick(Enum.GetValues<TextMatchKind>());
        return kind == TextMatchKind.Present
            ? new TextMatchPlan(kind, "", invert)
            : new TextMatchPlan(kind, Name(), invert, Coin());
    }

    private ForwardPlan Forward() => new(
        Some(3, () => Coin()
            ? WeightedClusterPlan.Only(Name())
            : new WeightedClusterPlan(Name(), _random.Next(1, 100), Operations(), Operations())),
        Ms(),
        Maybe(() => new RetryPlan(
            _random.Next(10), Ms(), Many(3, () => Pick("5xx", "reset", "connect-failure")), Many(2, () => _random.Next(400, 600)), _random.Next(1, 99))
        {
            BackoffMaxMs = Pick(0, 250, 1_000),
            AvoidsTriedEndpoints = Coin(),
            PerTryIdleMs = Ms(),
            LeavesTriedPriorities = Coin(),
            Headers = Many(2, () => new NamedMatchPlan(Name(), Text(Coin()))),
            RequestHeaders = Many(2, () => new NamedMatchPlan(Name(), Text(Coin()))),
            ResetHeaders = [new ResetHeaderPlan(Name(), Coin()), .. Many(2, () => new ResetHeaderPlan(Name(), Coin()))],
            ResetMaxMs = Ms(),
        }),
        Maybe(() => Pick(
            new RewritePlan("/" + Name(), null, null, null),
            new RewritePlan(null, Name(), null, null),
            new RewritePlan("/" + Name(), Name(), null, null),
            new RewritePlan(null, null, "/a(.*)", @"\1"))))
    {
        HashPolicies = Many(3, Hash),
        RateDescriptors = Many(2, Descriptor),
        Mirrors = Many(2, () => new MirrorPlan(Name(), _random.Next(1_000_001))),
        HedgeOnPerTryTimeout = Coin(),
        IdleTimeoutMs = Ms(),
        MaxGrpcTimeoutMs = Pick(-1, 0, 1, 15_000),
    };

    private HashPolicyPlan Hash() => Pick(Enum.GetValues<HashSource>()) switch
    {
        HashSource.Cookie => new HashPolicyPlan(HashSource.Cookie, Name(), Pick("", "/"), Pick(-1, 0, 1_500, 31_536_000_000L), Coin())
        {
            Attributes = Many(2, () => new CookieAttributePlan(Name(), Pick("", "Lax"))),
        },
        HashSource.SourceAddress => new HashPolicyPlan(HashSource.SourceAddress, "", "", -1, Coin()),
        var source => new HashPolicyPlan(source, Name(), "", -1, Coin()),
    };

    private RedirectPlan Redirect()
    {
        var path = _random.Next(3);
        return new RedirectPlan(
            path == 0 ? "/" + Name() : null,
            path == 1 ? "/" + Name() : null,
            Maybe(Name),
            Maybe(() => Pick("http", "https")),
            Coin() ? 0 : Port(),
            Pick(301, 302, 303, 307, 308));
    }

    private FaultPlan Fault() => _random.Next(3) switch
    {
        0 => new FaultPlan(_random.Next(1, 5000), _random.Next(1_000_001), 0, 0, 0),
        1 => new FaultPlan(0, 0, _random.Next(200, 600), 0, _random.Next(1_000_001)),
        _ => new FaultPlan(_random.Next(1, 5000), _random.Next(1_000_001), 0, _random.Next(1, 17), _random.Next(1_000_001)),
    };

    private HeaderOperationsPlan Operations() => Coin()
        ? HeaderOperationsPlan.None
        : new HeaderOperationsPlan(
            Many(2, () => new HeaderPlan(Name(), Pick("", "v", "%PROTOCOL%"))),
            Many(2, () => new HeaderPlan(Name(), Name())),
            Many(2, Name));

    private DownstreamTlsPlan ServerTls() => Coin()
        ? new DownstreamTlsPlan(Coin(), Many(2, Name), Many(2, Name))
        {
            Clients = Maybe(() => new ValidationPlan("", "", "") { SubjectAltNames = Some(2, Name) }),
            Parameters = Parameters(),
        }
        : new DownstreamTlsPlan(false, [], Many(2, Name))
        {
            Certificates = Coin() ? Some(2, () => CertificateSource.Of($"kubernetes://{Name()}")) : Some(2, () => new CertificateSource("", Name(), Name())),
            Parameters = Parameters(),
        } is var outside && Coin() ? outside : outside with { RequireClientCertificate = Coin(), Clients = Clients() };

    private ValidationPlan Clients()
    {
        var fromFile = Coin();
        return new ValidationPlan(fromFile ? "" : $"kubernetes://{Name()}-cacert", fromFile ? Name() : "", Pick("", Name()))
        {
            SubjectAltNames = Many(2, Name),
            KeyPins = Many(2, Name),
            CertificatePins = Many(2, Name),
        };
    }

    private TlsParametersPlan Parameters() => Coin()
        ? TlsParametersPlan.Default
        : new TlsParametersPlan(Pick(Enum.GetValues<TlsVersion>()), Pick(Enum.GetValues<TlsVersion>()), Many(2, Name));

    private CertificateSource Certificate() =>
        Coin() ? CertificateSource.Of($"kubernetes://{Name()}") : new CertificateSource("", Name(), Name());

    private SecretPlan Secret() => Coin()
        ? new SecretPlan($"kubernetes://{Name()}", Name(), Name(), "", "")
        : new SecretPlan($"kubernetes://{Name()}-cacert", "", "", Name(), Pick("", Name()));

    private UpstreamTlsPlan Tls()
    {
        var mode = Pick(Enum.GetValues<UpstreamTlsMode>());
        return mode == UpstreamTlsMode.Simple
            ? new UpstreamTlsPlan(
                mode, Name(), Many(2, Name), Many(2, Name), Pick("", "/etc/ca.pem"), Coin())
            {
                Certificate = Maybe(Certificate),
                CrlFile = Pick("", "/etc/crl.pem"),
            } is var tls && Coin() ? tls with { CaCertificatesFile = "", CaSecret = $"kubernetes://{Name()}-cacert" } : tls
            : new UpstreamTlsPlan(mode, Name(), Many(3, Name), Many(2, () => $"spiffe://td/ns/{Name()}/sa/{Name()}"), "", false);
    }

    private Origin Origin() => Coin()
        ? Model.Diagnostics.Origin.BuiltIn
        : new Origin(
            Pick("istio", "kubernetes"),
            Pick("VirtualService", "DestinationRule", "Service"),
            Name(),
            Name(),
            Coin() ? Position.None : new Position("a.yaml", _random.Next(1, 99), _random.Next(1, 99)),
            Pick("", "spec.http[0]"));

    private string Name() => $"n{_names++}-{_random.Next(1000)}";

    private string Address() => $"10.{_random.Next(256)}.{_random.Next(256)}.{_random.Next(256)}";

    private int Port() => _random.Next(1, 65_536);

    private int Ms() => Pick(0, 1, 999, 1000, 15_000, 3_600_000, _random.Next(100_000));

    private TrafficDirection Direction() => Coin() ? TrafficDirection.Inbound : TrafficDirection.Outbound;

    private bool Coin() => _random.Next(2) == 0;

    private T Pick<T>(params T[] items) => items[_random.Next(items.Length)];

    private T? Maybe<T>(Func<T> make)
        where T : class => Coin() ? null : make();

    private EquatableArray<T> Many<T>(int most, Func<T> make) => Repeat(_random.Next(most + 1), make);

    private EquatableArray<T> Some<T>(int most, Func<T> make) => Repeat(_random.Next(1, most + 1), make);

    private static EquatableArray<T> Repeat<T>(int count, Func<T> make) =>
        Enumerable.Range(0, count).Select(_ => make()).ToArray().ToEquatableArray();

    private static EquatableArray<T> Sorted<T>(EquatableArray<T> items, Func<T, string> name) =>
        items.OrderBy(name, StringComparer.Ordinal).ToEquatableArray();
}
