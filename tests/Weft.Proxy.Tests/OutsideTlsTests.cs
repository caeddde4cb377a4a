// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>TLS with certificates of the operator's own. Everything here holds on both back ends.</summary>
public abstract class OutsideTlsTests : IDisposable
{
    private const string A = "a.example.com";
    private const string B = "b.example.com";

    private readonly TestAuthority _authority = new();
    private readonly TestOrigin _origin = TestOrigin.Answering(request => TestOrigin.Response(request));

    protected OutsideTlsTests(IoChoice io) => TestProxy.Io = io;

    public void Dispose()
    {
        _authority.Dispose();
        _origin.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Each_name_has_its_own_certificate_and_an_unknown_name_none()
    {
        using var edge = new Edge(this, [Chain(A), Chain(B)], Secret(A), Secret(B));
        Assert.Equal("CN=" + A, Shown(edge, A));
        Assert.Equal("CN=" + B, Shown(edge, B));
        Assert.ThrowsAny<Exception>(() => Shown(edge, "c.example.com"));
    }

    [Fact]
    public void A_certificate_that_is_not_there_fails_its_own_handshakes_only_and_serves_when_it_comes()
    {
        using var edge = new Edge(this, [Chain(A), Chain(B)], Secret(A));
        Assert.ThrowsAny<Exception>(() => Shown(edge, B));
        Assert.Equal("CN=" + A, Shown(edge, A));
        edge.Apply(Secret(A), Secret(B));
        Assert.Equal("CN=" + B, Shown(edge, B));
        edge.Apply(Secret(A), Secret(B) with { KeyPem = Secret(A).KeyPem });
        Assert.ThrowsAny<Exception>(() => Shown(edge, B));
        Assert.Equal("CN=" + A, Shown(edge, A));
        Assert.Contains(edge.Said, words => words.Contains("'kubernetes://b.example.com' cannot be used: its key does not belong to its certificate", StringComparison.Ordinal));
        Assert.DoesNotContain(edge.Said, words => words.Contains("PRIVATE", StringComparison.Ordinal));
    }

    [Fact]
    public void A_new_certificate_is_for_new_connections_and_open_ones_go_on()
    {
        using var edge = new Edge(this, [Chain(A)], Secret(A));
        using var old = Connect(edge, A);
        var seen = new HashSet<string>(StringComparer.Ordinal) { Thumbprint(old) };
        for (var i = 0; i < 20; i++)
        {
            edge.Apply(Secret(A));
            using var fresh = Connect(edge, A);
            Assert.True(seen.Add(Thumbprint(fresh)), "each connection has the newest certificate");
            Assert.StartsWith("HTTP/1.1 200", Ask(fresh), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 200", Ask(old), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Mutual_wants_a_certificate_of_the_roots_and_says_whose_it_was()
    {
        using var stranger = new TestAuthority("stranger");
        using var edge = new Edge(this, [Chain(A, required: true)], Secret(A), Roots());
        Refused(edge, A, null);
        Refused(edge, A, stranger.IssueFor("client.example.com"));
        using var client = Connect(edge, A, _authority.IssueFor("client.example.com"));
        var seen = Ask(client, "x-forwarded-client-cert: By=spiffe://cluster.local/ns/shop/sa/admin");
        var field = Peer.Header(seen, "x-forwarded-client-cert")!;
        Assert.Matches("^Hash=[0-9a-f]{64};Cert=\"-----BEGIN%20CERTIFICATE-----[^\"]*\";Subject=\"O=test\";URI=;DNS=client.example.com$", field);
    }

    [Fact]
    public void Optional_takes_clients_without_a_certificate_and_refuses_a_wrong_one()
    {
        using var stranger = new TestAuthority("stranger");
        using var edge = new Edge(this, [Chain(A, required: false)], Secret(A), Roots());
        using var nobody = Connect(edge, A);
        Assert.DoesNotContain("x-forwarded-client-cert", Ask(nobody), StringComparison.Ordinal);
        using var client = Connect(edge, A, _authority.IssueFor("client.example.com"));
        Assert.Contains("DNS=client.example.com", Ask(client), StringComparison.Ordinal);
        Refused(edge, A, stranger.IssueFor("client.example.com"));
    }

    [Fact]
    public void Names_and_pins_choose_among_certificates_of_the_same_roots()
    {
        var (right, other) = (_authority.IssueFor("client.example.com"), _authority.IssueFor("other.example.com"));
        using var certificate = X509Certificate2.CreateFromPem(right.Chain);
        var hash = Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
        var key = Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        foreach (var rule in (Func<ValidationPlan, ValidationPlan>[])[
            plan => plan with { SubjectAltNames = ["client.example.com"] },
            plan => plan with { CertificatePins = [hash] },
            plan => plan with { KeyPins = [key] },
        ])
        {
            using var edge = new Edge(this, [Chain(A, required: true, rule)], Secret(A), Roots());
            using var client = Connect(edge, A, right);
            Assert.StartsWith("HTTP/1.1 200", Ask(client), StringComparison.Ordinal);
            Refused(edge, A, other);
        }
    }

    [Fact]
    public void A_revoked_certificate_is_refused()
    {
        var (revoked, good) = (_authority.IssueFor("client.example.com"), _authority.IssueFor("client.example.com"));
        using var edge = new Edge(this, [Chain(A, required: true)], Secret(A), Roots() with { CrlPem = _authority.Revoke(revoked.Chain) });
        Refused(edge, A, revoked);
        using var client = Connect(edge, A, good);
        Assert.StartsWith("HTTP/1.1 200", Ask(client), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TlsVersion.Default, TlsVersion.Default, SslProtocols.Tls12, SslProtocols.Tls12)]
    [InlineData(TlsVersion.Default, TlsVersion.Default, SslProtocols.Tls13, SslProtocols.Tls13)]
    [InlineData(TlsVersion.Tls13, TlsVersion.Default, SslProtocols.Tls12, SslProtocols.None)]
    [InlineData(TlsVersion.Default, TlsVersion.Tls12, SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12)]
    [InlineData(TlsVersion.Default, TlsVersion.Tls12, SslProtocols.Tls13, SslProtocols.None)]
    public void Versions_are_those_of_the_server(TlsVersion min, TlsVersion max, SslProtocols offered, SslProtocols agreed)
    {
        var chain = Chain(A);
        using var edge = new Edge(this, [chain with { Tls = chain.Tls! with { Parameters = new TlsParametersPlan(min, max, []) } }], Secret(A));
        if (agreed == SslProtocols.None)
        {
            Assert.ThrowsAny<Exception>(() => Connect(edge, A, protocols: offered).Dispose());
            return;
        }

        using var client = Connect(edge, A, protocols: offered);
        Assert.Equal(agreed, client.SslProtocol);
    }

    [Fact]
    public void Files_are_read_again_when_they_were_replaced()
    {
        var folder = Directory.CreateTempSubdirectory("weft-files-");
        var (chainFile, keyFile) = (Path.Combine(folder.FullName, "tls.crt"), Path.Combine(folder.FullName, "tls.key"));
        var chain = Chain(A);
        chain = chain with { Tls = chain.Tls! with { Certificates = [new CertificateSource("", chainFile, keyFile)] } };
        var clock = new ShiftedClock();
        using var edge = new Edge(this, [chain], clock);
        Assert.ThrowsAny<Exception>(() => Shown(edge, A));
        foreach (var name in new[] { A, B })
        {
            var secret = Secret(name);
            File.WriteAllText(chainFile, secret.ChainPem);
            File.WriteAllText(keyFile, secret.KeyPem);
            File.SetLastWriteTimeUtc(chainFile, new DateTime(2026, 1, name == A ? 1 : 2, 0, 0, 0, DateTimeKind.Utc));
            clock.Shift(TimeSpan.FromSeconds(5));
            Assert.Equal("CN=" + name, Shown(edge, A, anyName: true));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_server_outside_is_shown_the_certificate_and_checked_against_the_roots()
    {
        using var stranger = new TestAuthority("stranger");
        var client = _authority.IssueFor("client.example.com");
        using var edge = new Edge(this, [Chain(A, required: true)], Secret(A), Roots());
        var tls = new UpstreamTlsPlan(UpstreamTlsMode.Simple, A, [], [], "", false)
        {
            Certificate = CertificateSource.Of("kubernetes://own"),
            CaSecret = "kubernetes://own-cacert",
        };
        var own = new SecretPlan("kubernetes://own", client.Chain, client.Key, "", "");
        Assert.StartsWith("HTTP/1.1 200", Through(tls, own, Roots("own")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", Through(tls with { SubjectAltNames = ["x.example.com", A] }, own, Roots("own")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", Through(tls with { SubjectAltNames = ["x.example.com"] }, own, Roots("own")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", Through(tls with { Certificate = null }, own, Roots("own")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", Through(tls, own, Roots("own") with { RootsPem = stranger.RootPem }), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", Through(tls, own), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", Through(tls, Roots("own")), StringComparison.Ordinal);

        string Through(UpstreamTlsPlan upstream, params SecretPlan[] secrets)
        {
            var port = TestProxy.FreePort();
            var plan = Plans.Http(port, Plans.Forward("server")).With(Plans.Cluster("server", edge.Port) with { Tls = upstream });
            using var proxy = new TestProxy(plan with { Secrets = secrets.ToEquatableArray() });
            using var peer = Peer.Connect(port);
            peer.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
            return peer.ReadMessage()!;
        }
    }

    private static ChainPlan Chain(string name, bool? required = null, Func<ValidationPlan, ValidationPlan>? rule = null)
    {
        var clients = new ValidationPlan("kubernetes://clients-cacert", "", "");
        var tls = new DownstreamTlsPlan(required == true, [], ["h2", "http/1.1"])
        {
            Certificates = [CertificateSource.Of("kubernetes://" + name)],
            Clients = required is null ? null : rule?.Invoke(clients) ?? clients,
        };
        var chain = Plans.HttpChain(TrafficDirection.Outbound, tls);
        return chain with
        {
            Name = name,
            Match = ChainMatchPlan.Any with { ServerNames = [name], TransportProtocol = "tls" },
            Http = chain.Http! with { Trust = TrustPlan.Edge },
        };
    }

    private SecretPlan Secret(string host)
    {
        var (chain, pem) = _authority.IssueFor(host);
        return new SecretPlan("kubernetes://" + host, chain, pem, "", "");
    }

    private SecretPlan Roots(string name = "clients") => new($"kubernetes://{name}-cacert", "", "", _authority.RootPem, "");

    /// <summary>Whose the certificate is that a connection is shown: its first DNS name.</summary>
    private string Shown(Edge edge, string name, bool anyName = false)
    {
        using var stream = Connect(edge, name, anyName: anyName);
        using var shown = new X509Certificate2(stream.RemoteCertificate!);
        return "CN=" + shown.GetNameInfo(X509NameType.DnsName, false);
    }

    private static string Thumbprint(SslStream stream) => ((X509Certificate2)stream.RemoteCertificate!).Thumbprint;

    private SslStream Connect(
        Edge edge, string name, (string Chain, string Key)? own = null, SslProtocols protocols = SslProtocols.None, bool anyName = false)
    {
        var socket = new TcpClient("127.0.0.1", edge.Port) { ReceiveTimeout = 10_000 };
        var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false);
        using var root = X509Certificate2.CreateFromPem(_authority.RootPem);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            ClientCertificates = own is { } pair ? [X509Certificate2.CreateFromPem(pair.Chain, pair.Key)] : null,
            RemoteCertificateValidationCallback = (_, shown, _, problems) =>
                (problems & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None || (anyName && shown is not null),
        };
        try
        {
            stream.AuthenticateAsClient(options);
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static string Ask(SslStream stream, string field = "x-any: thing")
    {
        stream.Write(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nhost: shop\r\n{field}\r\n\r\n"));
        var text = "";
        var buffer = new byte[16 * 1024];
        while (!IsWhole(text))
        {
            var count = stream.Read(buffer);
            if (count == 0)
            {
                throw new IOException("the proxy closed the connection");
            }

            text += Encoding.ASCII.GetString(buffer, 0, count);
        }

        return text;
    }

    private static bool IsWhole(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end >= 0 && text.Length >= end + 4 + int.Parse(Peer.Header(text, "content-length")!, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>With TLS 1.3 a client hears of its refusal only when it reads.</summary>
    private void Refused(Edge edge, string name, (string Chain, string Key)? own)
    {
        var before = _origin.Connections;
        Assert.ThrowsAny<Exception>(() =>
        {
            using var stream = Connect(edge, name, own);
            Ask(stream);
        });
        Assert.Equal(before, _origin.Connections);
    }

    /// <summary>A proxy that ends TLS and forwards to the origin.</summary>
    private sealed class Edge : IDisposable
    {
        private readonly ProxyPlan _plan;
        private readonly TestProxy _proxy;

        internal Edge(OutsideTlsTests tests, ChainPlan[] chains, params SecretPlan[] secrets)
            : this(tests, chains, TimeProvider.System, secrets)
        {
        }

        internal Edge(OutsideTlsTests tests, ChainPlan[] chains, TimeProvider clock, params SecretPlan[] secrets)
        {
            Port = TestProxy.FreePort();
            var listener = Plans.Listener(Port, TrafficDirection.Outbound, chains) with { InspectTls = true };
            _plan = (Plans.Http(Port, Plans.Forward("app")) with { Listeners = [listener] }).With(Plans.Cluster("app", tests._origin.Port));
            _proxy = new TestProxy(_plan with { Secrets = secrets.ToEquatableArray() }, options: options => options with { Tell = Said.Add, Clock = clock });
        }

        internal int Port { get; }

        internal List<string> Said { get; } = [];

        internal void Apply(params SecretPlan[] secrets) => Assert.Null(_proxy.Runtime.Apply(_plan with { Secrets = secrets.ToEquatableArray() }));

        public void Dispose() => _proxy.Dispose();
    }
}

public sealed class EpollOutsideTlsTests() : OutsideTlsTests(IoChoice.Epoll);

public sealed class UringOutsideTlsTests() : OutsideTlsTests(IoChoice.Uring);
