// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

/// <summary>TLS with peers that are no proxies of ours, in both versions, with bodies of many records. Everything here holds on both back ends.</summary>
public abstract class ForeignTlsTests
{
    private static readonly string _body = string.Concat(Enumerable.Range(0, 300_000).Select(i => (char)('a' + (i % 26))));

    protected ForeignTlsTests(IoChoice io) => TestProxy.Io = io;

    public static TheoryData<SslProtocols> Versions => new(SslProtocols.Tls12, SslProtocols.Tls13);

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_client_is_served(SslProtocols version)
    {
        using var authority = new TestAuthority();
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("app")) with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, new DownstreamTlsPlan(false, [], ["http/1.1"])))],
        };
        using var proxy = new TestProxy(
            plan.With(Plans.Cluster("app", origin.Port) with { Direction = TrafficDirection.Inbound }),
            prepare: runtime => authority.Give(runtime, "spiffe://cluster.local/ns/a/sa/b"));
        using var socket = new TcpClient("127.0.0.1", port) { ReceiveTimeout = 20_000 };
        // Records are what is tried here, not whose they are.
        using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "app",
            EnabledSslProtocols = version,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        });
        Assert.Equal((version, SslApplicationProtocol.Http11), (tls.SslProtocol, tls.NegotiatedApplicationProtocol));
        for (var i = 0; i < 3; i++)
        {
            tls.Write(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nhost: app\r\ncontent-length: {_body.Length}\r\n\r\n{_body}"));
            Assert.EndsWith(_body, ReadMessage(tls), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_server_is_asked_and_its_tickets_do_no_harm(SslProtocols version)
    {
        using var authority = new TestAuthority();
        var (chain, key) = authority.Issue();
        using var pem = X509Certificate2.CreateFromPem(chain, key);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4);
        var serving = new Thread(() => Serve(listener, pem, version)) { IsBackground = true };
        serving.Start();
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("server", ((IPEndPoint)listener.LocalEndPoint!).Port) with
        {
            Tls = new UpstreamTlsPlan(UpstreamTlsMode.Simple, "server", [], [], "", InsecureSkipVerify: true),
        };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("server")).With(cluster));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 3; i++)
        {
            client.Write($"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: {_body.Length}\r\n\r\n{_body}");
            Assert.EndsWith(_body, client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    /// <summary>Answers each request of the first connection with its body.</summary>
    private static void Serve(Socket listener, X509Certificate2 certificate, SslProtocols version)
    {
        using var connection = listener.Accept();
        using var tls = new SslStream(new NetworkStream(connection), false);
        tls.AuthenticateAsServer(new SslServerAuthenticationOptions { ServerCertificate = certificate, EnabledSslProtocols = version });
        try
        {
            while (ReadMessage(tls) is { Length: > 0 } request)
            {
                var body = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
                tls.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
            }
        }
        catch (IOException)
        {
            // The proxy ends with its test.
        }
    }

    private static string ReadMessage(SslStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        var wanted = int.MaxValue;
        while (text.Length < wanted)
        {
            var count = stream.Read(buffer);
            if (count == 0)
            {
                break;
            }

            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            if (wanted == int.MaxValue && text.ToString() is var seen && seen.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
            {
                var at = seen.IndexOf("content-length: ", StringComparison.OrdinalIgnoreCase) + "content-length: ".Length;
                wanted = end + 4 + int.Parse(seen.AsSpan(at, seen.IndexOf("\r\n", at, StringComparison.Ordinal) - at), null);
            }
        }

        return text.ToString();
    }
}

public sealed class EpollForeignTlsTests() : ForeignTlsTests(IoChoice.Epoll);

public sealed class UringForeignTlsTests() : ForeignTlsTests(IoChoice.Uring);
