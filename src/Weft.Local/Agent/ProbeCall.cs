// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>One attempt of a probe or one call of a lifecycle hook, from the node's address that capture lets pass.</summary>
/// <param name="execute">Runs a command in the container; its exit code and what it printed.</param>
internal sealed class ProbeCall(IPAddress pod, Func<IReadOnlyList<string>, CancellationToken, Task<(int Code, string Output)>> execute, TimeProvider time)
{
    /// <summary>More of an answer's body is not shown.</summary>
    private const int MaxOutputCharacters = 1024;

    private const string NoPort = "the container has no port of that name";

    private static readonly IPEndPoint _source = new(IPAddress.Parse(NodeNetwork.ProbeAddress), 0);

    /// <summary>The message says why it failed, in the kubelet's words.</summary>
    public async Task<(bool Passed, string Message)> AttemptAsync(ProbeAction action, TimeSpan timeout, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        try
        {
            return action switch
            {
                ProbeAction.HttpGet get => await GetAsync(get, limit.Token),
                ProbeAction.TcpConnect tcp => await ConnectOnlyAsync(tcp, limit.Token),
                ProbeAction.GrpcCheck grpc => await CheckAsync(grpc, limit.Token),
                ProbeAction.Command command => await execute(command.Words, limit.Token) is var (code, output) && code != 0
                    ? (false, output.Trim() is { Length: > 0 } text ? text : $"command terminated with exit code {code}")
                    : (true, ""),
                ProbeAction.Sleep sleep => await SleepAsync(sleep, ct),
                _ => (false, "the probe is of an unknown kind"),
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (false, TimedOut(action, timeout));
        }
        catch (HttpRequestException e) when (action is ProbeAction.HttpGet get)
        {
            return (false, $"Get \"{Url(get)}\": {Reason(e, get.Port)}");
        }
        catch (Exception e) when (e is SocketException or IOException or HttpRequestException or InvalidOperationException or UriFormatException)
        {
            return (false, Reason(e, (action as ProbeAction.TcpConnect)?.Port ?? (action as ProbeAction.GrpcCheck)?.Port));
        }
    }

    private async Task<(bool Passed, string Message)> SleepAsync(ProbeAction.Sleep sleep, CancellationToken ct)
    {
        await Task.Delay(sleep.For, time, ct);
        return (true, "");
    }

    private string TimedOut(ProbeAction action, TimeSpan timeout) => action switch
    {
        ProbeAction.HttpGet get => $"Get \"{Url(get)}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        ProbeAction.TcpConnect tcp => $"dial tcp {pod}:{tcp.Port}: i/o timeout",
        ProbeAction.GrpcCheck grpc =>
            $"timeout: failed to connect service \"{pod}:{grpc.Port}\" within {timeout.TotalSeconds:0}s: context deadline exceeded",
        ProbeAction.Command command => $"command timed out: \"{string.Join(' ', command.Words)}\" timed out after {timeout.TotalSeconds:0}s",
        _ => $"no answer within {timeout.TotalSeconds:0}s",
    };

    private string Reason(Exception e, int? port)
    {
        var inner = e;
        while (inner.InnerException is not null && inner is not SocketException)
        {
            inner = inner.InnerException;
        }

        return inner switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"dial tcp {pod}:{port}: connect: connection refused",
            SocketException { SocketErrorCode: SocketError.HostUnreachable } => $"dial tcp {pod}:{port}: connect: no route to host",
            SocketException { SocketErrorCode: SocketError.ConnectionReset } => $"read tcp {pod}:{port}: connection reset by peer",
            HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => "EOF",
            _ => inner.Message,
        };
    }

    private async Task<(bool Passed, string Message)> ConnectOnlyAsync(ProbeAction.TcpConnect tcp, CancellationToken ct)
    {
        if (tcp.Port is not { } port)
        {
            return (false, NoPort);
        }

        using var socket = await ConnectAsync(pod, port, ct);
        return (true, "");
    }

    private async Task<(bool Passed, string Message)> GetAsync(ProbeAction.HttpGet get, CancellationToken ct)
    {
        if (get.Port is null)
        {
            return (false, NoPort);
        }

        using var http = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(get));
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.32");
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        request.Headers.ConnectionClose = true;
        foreach (var (name, value) in get.Headers)
        {
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
            {
                request.Headers.Host = value;
            }
            else
            {
                request.Headers.Remove(name);
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var code = (int)response.StatusCode;
        return code is >= 200 and < 400 ? (true, "") : (false, $"HTTP probe failed with statuscode: {code}");
    }

    private async Task<(bool Passed, string Message)> CheckAsync(ProbeAction.GrpcCheck grpc, CancellationToken ct)
    {
        if (grpc.Port is not { } port)
        {
            return (false, NoPort);
        }

        using var http = Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{pod}:{port}/grpc.health.v1.Health/Check")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(HealthRequest(grpc.Service)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.32");
        using var response = await http.SendAsync(request, ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        var status = response.TrailingHeaders.Concat(response.Headers)
            .FirstOrDefault(h => h.Key.Equals("grpc-status", StringComparison.OrdinalIgnoreCase)).Value?.FirstOrDefault();
        if (status is not ("0" or null) || !response.IsSuccessStatusCode)
        {
            return (false, status switch
            {
                "12" => "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)",
                "5" => $"service unhealthy (responded with \"NOT_FOUND\" for \"{grpc.Service}\")",
                _ => $"error: health rpc probe failed: status {status ?? ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture)}",
            });
        }

        // One field, number 1, a number: 5 bytes of framing, the tag, the value. Zero is not written.
        var serving = body.Length >= 7 && body[5] == 0x08 ? body[6] : 0;
        return serving == 1 ? (true, "") : (false, $"service unhealthy (responded with \"{(serving == 2 ? "NOT_SERVING" : serving == 3 ? "SERVICE_UNKNOWN" : "UNKNOWN")}\")");
    }

    private static byte[] HealthRequest(string service)
    {
        var name = Encoding.UTF8.GetBytes(service.Length <= 100 ? service : service[..100]);
        byte[] message = name.Length == 0 ? [] : [0x0a, (byte)name.Length, .. name];
        return [0, 0, 0, 0, (byte)message.Length, .. message];
    }

    private HttpClient Client() => new(
        new SocketsHttpHandler
        {
            ConnectCallback = async (context, token) =>
            {
                var address = IPAddress.TryParse(context.DnsEndPoint.Host, out var given) ? given : pod;
                return new NetworkStream(await ConnectAsync(address, context.DnsEndPoint.Port, token), ownsSocket: true);
            },
            AllowAutoRedirect = false,
            UseProxy = false,
            MaxResponseHeadersLength = MaxOutputCharacters / 16,
            SslOptions = new SslClientAuthenticationOptions
            {
                // As the kubelet: a probe asks whether somebody is there, not who.
                CertificateChainPolicy = new X509ChainPolicy
                {
                    VerificationFlags = X509VerificationFlags.AllFlags,
                    RevocationMode = X509RevocationMode.NoCheck,
                },
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            },
        },
        disposeHandler: true);

    private string Url(ProbeAction.HttpGet get)
    {
        var path = get.Path.StartsWith('/') ? get.Path : $"/{get.Path}";
        return $"{(get.Https ? "https" : "http")}://{(get.Host.Length > 0 ? get.Host : pod)}:{get.Port}{path}";
    }

    private static async Task<Socket> ConnectAsync(IPAddress address, int port, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (!IPAddress.IsLoopback(address))
            {
                socket.Bind(_source);
            }

            await socket.ConnectAsync(new IPEndPoint(address, port), ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
