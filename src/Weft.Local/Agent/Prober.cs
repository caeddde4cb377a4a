// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>Runs one probe of one container, again and again, and reports what it finds.</summary>
/// <param name="execute">Runs a command in the container and returns its exit code.</param>
internal sealed class Prober(
    Probe probe, IPAddress pod, Func<IReadOnlyList<string>, CancellationToken, Task<int>> execute, TimeProvider time)
{
    /// <summary>
    /// How often a container that has never been ready is asked, for as long: waiting out whole periods would make every start slow.
    /// Such extra attempts do not count as failures.
    /// </summary>
    private static readonly TimeSpan _eager = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _eagerFor = TimeSpan.FromSeconds(20);

    private static readonly IPEndPoint _source = new(IPAddress.Parse(NodeNetwork.ProbeAddress), 0);

    /// <summary>Calls <paramref name="report"/> whenever the verdict changes, until cancelled.</summary>
    public async Task RunAsync(Action<bool, string> report, CancellationToken ct)
    {
        await Task.Delay(probe.InitialDelay, time, ct);
        var began = time.GetTimestamp();
        var lastCounted = began;
        var (successes, failures) = (0, 0);
        bool? verdict = null;
        while (true)
        {
            var (passed, message) = await AttemptAsync(ct);
            var eager = verdict != true && probe.Kind != ProbeKind.Liveness && time.GetElapsedTime(began) < _eagerFor;
            var counts = passed || !eager || time.GetElapsedTime(lastCounted) >= probe.Period;
            if (counts)
            {
                lastCounted = time.GetTimestamp();
                (successes, failures) = passed ? (successes + 1, 0) : (0, failures + 1);
                var now = successes >= probe.SuccessThreshold ? true : failures >= probe.FailureThreshold ? false : verdict;
                if (now != verdict && now is { } reached)
                {
                    report(reached, message);
                    verdict = now;
                    if (probe.Kind == ProbeKind.Startup && reached)
                    {
                        return;
                    }
                }
            }

            await Task.Delay(eager && verdict != true ? _eager : probe.Period, time, ct);
        }
    }

    /// <summary>One attempt; the message says why it failed.</summary>
    internal async Task<(bool Passed, string Message)> AttemptAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(probe.Timeout);
        try
        {
            return probe.Action switch
            {
                ProbeAction.HttpGet get => await GetAsync(get, limit.Token),
                ProbeAction.TcpConnect tcp => await ConnectOnlyAsync(tcp, limit.Token),
                ProbeAction.Command command => await execute(command.Words, limit.Token) is var code and not 0
                    ? (false, $"the command ended with exit code {code}")
                    : (true, ""),
                _ => (false, "the probe is of an unknown kind"),
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (false, $"no answer within {probe.Timeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is SocketException or IOException or HttpRequestException or InvalidOperationException)
        {
            return (false, e.InnerException?.Message ?? e.Message);
        }
    }

    private async Task<(bool Passed, string Message)> ConnectOnlyAsync(ProbeAction.TcpConnect tcp, CancellationToken ct)
    {
        if (tcp.Port is not { } port)
        {
            return (false, "the container has no port of that name");
        }

        using var socket = await ConnectAsync(port, ct);
        return (true, "");
    }

    private async Task<(bool Passed, string Message)> GetAsync(ProbeAction.HttpGet get, CancellationToken ct)
    {
        if (get.Port is not { } port)
        {
            return (false, "the container has no port of that name");
        }

        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) => new NetworkStream(await ConnectAsync(port, token), ownsSocket: true),
            AllowAutoRedirect = false,
            UseProxy = false,
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
        };
        using var http = new HttpClient(handler);
        var path = get.Path.StartsWith('/') ? get.Path : $"/{get.Path}";
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{(get.Https ? "https" : "http")}://{pod}:{port}{path}");
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.32");
        request.Headers.ConnectionClose = true;
        if (get.Host.Length > 0)
        {
            request.Headers.Host = get.Host;
        }

        foreach (var (name, value) in get.Headers)
        {
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
            {
                request.Headers.Host = value;
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var code = (int)response.StatusCode;
        return code is >= 200 and < 400 ? (true, "") : (false, $"HTTP probe failed with status code {code}");
    }

    private async Task<Socket> ConnectAsync(int port, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(_source);
            await socket.ConnectAsync(new IPEndPoint(pod, port), ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
