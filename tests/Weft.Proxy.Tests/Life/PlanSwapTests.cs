// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Life;

public sealed class PlanSwapTests
{
    private const int Clients = 8;
    private const int RequestsPerConnection = 250;
    private const int TimeLimitMs = 120_000;

    private static readonly TimeSpan _betweenChanges = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public void A_hundred_thousand_requests_pass_plan_swaps_endpoint_churn_and_certificate_rotation_and_none_is_lost_or_wrong(IoChoice io)
    {
        const int Total = 100_000;
        TestProxy.Io = io;
        using var first = new EchoOrigin();
        using var second = new EchoOrigin();
        using var third = new EchoOrigin();
        using var pair = new MeshedPair(first.Port, second.Port);
        var run = new Run(pair, Total / Clients);
        var clients = Enumerable.Range(0, Clients).Select(i => new Thread(() => run.Ask(i))).ToArray();
        foreach (var client in clients)
        {
            client.Start();
        }

        int[][] endpoints = [[first.Port, second.Port], [second.Port, third.Port], [third.Port, first.Port], [second.Port]];
        var other = TestProxy.FreePort();
        using var never = new ManualResetEventSlim();
        var changes = 0;
        while (clients.Any(client => client.IsAlive) && run.Problems.IsEmpty)
        {
            changes++;
            run.Change(changes, changes % 2 == 0 ? [other] : [], endpoints[changes % endpoints.Length]);
            never.Wait(_betweenChanges);
        }

        Assert.All(clients, client => Assert.True(client.Join(TimeLimitMs)));
        Assert.Empty(run.Problems);
        Assert.Equal(Total, run.Answered);
        Assert.True(changes >= 10, $"only {changes} changes");
    }

    /// <summary>Clients that know which plans may have answered them.</summary>
    private sealed class Run(MeshedPair pair, int requests)
    {
        private int _answered;
        private int _begun;
        private int _inForce;

        internal System.Collections.Concurrent.ConcurrentQueue<string> Problems { get; } = new();

        internal int Answered => Volatile.Read(ref _answered);

        internal void Change(int version, int[] others, int[] endpoints)
        {
            Volatile.Write(ref _begun, version);
            Assert.Null(pair.Client.Runtime.Apply(pair.ClientPlan(version.ToString(CultureInfo.InvariantCulture), others)));
            Assert.Null(pair.Server.Runtime.Apply(pair.ServerPlan(endpoints)));
            Volatile.Write(ref _inForce, version);
            pair.Rotate();
        }

        internal void Ask(int client)
        {
            try
            {
                for (var done = 0; done < requests && Problems.IsEmpty;)
                {
                    using var peer = Peer.Connect(pair.Port);
                    for (var i = 0; i < RequestsPerConnection && done < requests; i++, done++)
                    {
                        Ask(peer, client, done);
                    }
                }
            }
            catch (Exception lost)
            {
                Problems.Enqueue($"client {client}: {lost.Message}");
            }
        }

        private void Ask(Peer peer, int client, int number)
        {
            var oldest = Volatile.Read(ref _inForce);
            var target = $"/{client}/{number}";
            var body = number % 4 == 0 ? $"body of {target}" : "";
            var verb = body.Length > 0 ? "POST" : "GET";
            peer.Socket.Send(Encoding.ASCII.GetBytes($"{verb} {target} HTTP/1.1\r\nhost: shop\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
            var (head, answer) = Read(peer);
            var newest = Volatile.Read(ref _begun);
            var plan = int.Parse(Peer.Header(head, "x-plan") ?? "-1", CultureInfo.InvariantCulture);
            if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) || answer != $"{target} {body}" || plan < oldest || plan > newest)
            {
                Problems.Enqueue($"asked {target} under plans {oldest} to {newest}, got: {head}{answer}");
            }

            Interlocked.Increment(ref _answered);
        }

        private static (string Head, string Body) Read(Peer peer)
        {
            var bytes = new byte[4096];
            var filled = 0;
            while (true)
            {
                var count = peer.Socket.Receive(bytes.AsSpan(filled));
                if (count == 0)
                {
                    throw new EndOfStreamException($"closed after {filled} bytes");
                }

                filled += count;
                var text = Encoding.ASCII.GetString(bytes, 0, filled);
                var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
                if (end >= 4 && int.Parse(Peer.Header(text[..end], "content-length")!, CultureInfo.InvariantCulture) == filled - end)
                {
                    return (text[..end], text[end..]);
                }
            }
        }
    }
}
