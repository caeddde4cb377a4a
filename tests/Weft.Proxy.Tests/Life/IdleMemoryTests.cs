// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.Model.Plan;
using Xunit;
using Xunit.Abstractions;

namespace Weft.Proxy.Tests.Life;

/// <summary>What a connection that waits costs the process, measured from outside. Kernel memory of sockets is not counted.</summary>
public sealed class IdleMemoryTests(ITestOutputHelper output) : IDisposable
{
    private const int Warm = 300;

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-life-").FullName;
    private readonly List<IDisposable> _open = [];

    public void Dispose()
    {
        _open.ForEach(one => one.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("uring")]
    public void Eight_thousand_idle_plain_connections_cost_at_most_four_kibibytes_each(string io)
    {
        const int Count = 8000;
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin") with { Forward = null, Direct = new DirectResponsePlan(200, "hello") };
        using var proxy = Start(Plans.Http(port, route), io, null);
        proxy.AwaitPort(port);
        AssertCost(proxy, Count, 4 * 1024, () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _open.Add(socket);
            socket.Connect("127.0.0.1", port);
            Ask(socket);
        });
    }

    [Theory]
    [InlineData("epoll", true)]
    [InlineData("epoll", false)]
    [InlineData("uring", true)]
    public void An_idle_connection_of_mutual_tls_costs_at_most_twenty_four_kibibytes(string io, bool asks)
    {
        const int Count = 1000;
        using var authority = new TestAuthority();
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin") with { Forward = null, Direct = new DirectResponsePlan(200, "hello") };
        var tls = new DownstreamTlsPlan(true, ["cluster.local"], ["istio-http/1.1", "http/1.1"]);
        var plan = Plans.Http(port, TrafficDirection.Inbound, route) with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, tls))],
        };
        using var proxy = Start(plan, io, authority);
        proxy.AwaitPort(port);
        var (chain, key) = authority.Issue(MeshedPair.ClientId);
        using var pem = X509Certificate2.CreateFromPem(chain, key);
        using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        using var root = X509Certificate2.CreateFromPem(authority.RootPem);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(root);
        AssertCost(proxy, Count, 6 * 1024, () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect("127.0.0.1", port);
            var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            _open.Add(stream);
            stream.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = "server",
                ClientCertificates = [certificate],
                CertificateChainPolicy = trust,

                // A workload's certificate names no host.
                RemoteCertificateValidationCallback = (_, _, _, errors) => errors is SslPolicyErrors.RemoteCertificateNameMismatch,
            });
            if (asks)
            {
                stream.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n"u8);
                Assert.NotEqual(0, stream.Read(new byte[1024]));
            }
        });
    }

    private ProxyProcess Start(ProxyPlan plan, string io, TestAuthority? authority) =>
        ProxyProcess.Start(ProxyProcess.Prepare(_folder, plan, authority, MeshedPair.ServerId, ("io", JsonValue.Create(io))));

    private void AssertCost(ProxyProcess proxy, int count, int limit, Action connect)
    {
        // The first connections also pay for what all share: compiled code, buffers, tables.
        for (var i = 0; i < Warm; i++)
        {
            connect();
        }

        var before = proxy.PrivateBytes();
        for (var i = 0; i < count; i++)
        {
            connect();
        }

        var cost = (proxy.PrivateBytes() - before) / count;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cost} bytes a connection"));
        Assert.InRange(cost, 0, limit);
    }

    private static void Ask(Socket socket)
    {
        socket.Send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n"u8);
        Assert.NotEqual(0, socket.Receive(new byte[1024]));
    }
}
