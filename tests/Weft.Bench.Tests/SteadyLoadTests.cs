// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Bench.Load;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class SteadyLoadTests
{
    [Fact]
    public void Requests_are_due_evenly_from_the_start_on()
    {
        var schedule = new Schedule(1_000, 4_000);
        Assert.Equal(1_000, schedule.DueAt(0));
        Assert.Equal(251_000, schedule.DueAt(1));
        Assert.Equal(1_000_001_000, schedule.DueAt(4_000));
        Assert.Equal(6_000, schedule.CountIn(TimeSpan.FromSeconds(1.5)));
    }

    [Fact]
    public void Every_request_of_the_schedule_is_sent_and_only_those_after_the_warming_are_counted()
    {
        using var server = new Server(_ => { });
        using var load = new SteadyLoad(server.Port, "/", 4);
        load.Run(1_000, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(0.2));
        Assert.Equal(300, server.Requests);
        Assert.Equal(200, load.Latencies.Count);
    }

    [Fact]
    public void A_stall_shows_in_every_request_that_was_due_meanwhile()
    {
        using var never = new ManualResetEventSlim();
        var stall = TimeSpan.FromMilliseconds(300);
        using var server = new Server(request =>
        {
            if (request == 100)
            {
                never.Wait(stall);
            }
        });
        using var load = new SteadyLoad(server.Port, "/", 1);
        load.Run(1_000, TimeSpan.Zero, TimeSpan.FromSeconds(1));

        // A closed loop would have counted one slow request; here about 300 were due, half of them for at least half of it. The bounds
        // leave room for a machine that wakes the client late.
        Assert.Equal(1_000, load.Latencies.Count);
        Assert.True(load.Latencies.Highest >= stall.TotalNanoseconds * 0.9, $"{load.Latencies.Highest}");
        Assert.True(load.Latencies.Quantile(1 - (50.0 / 1_000)) >= stall.TotalNanoseconds / 4, $"{load.Latencies.Quantile(0.95)}");
    }

    [Fact]
    public void Saturation_keeps_every_connection_busy_and_leaves_none_unanswered()
    {
        using var server = new Server(_ => { });
        using var load = new SteadyLoad(server.Port, "/", 2);
        Assert.True(load.Saturate(TimeSpan.FromMilliseconds(100)) > 0);
        Assert.Equal(server.Requests, load.Latencies.Count);
        load.Run(1_000, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
        Assert.Equal(50, load.Latencies.Count);
    }

    [Fact]
    public void A_closed_connection_is_an_error_not_a_fast_answer()
    {
        using var server = new Server(request => throw new IOException(request.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        using var load = new SteadyLoad(server.Port, "/", 1);
        Assert.Throws<BenchException>(() => load.Run(100, TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    /// <summary>Answers every request 200; told the number of each before it does, and closes the connection if that throws.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Action<int> _before;
        private int _requests;

        internal Server(Action<int> before)
        {
            _before = before;
            _listener.Start();
            new Thread(Accept) { IsBackground = true }.Start();
        }

        internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        internal int Requests => Volatile.Read(ref _requests);

        public void Dispose() => _listener.Dispose();

        private void Accept()
        {
            try
            {
                while (true)
                {
                    var socket = _listener.AcceptSocket();
                    new Thread(() => Serve(socket)) { IsBackground = true }.Start();
                }
            }
            catch (Exception ended) when (ended is SocketException or InvalidOperationException)
            {
                // Disposed.
            }
        }

        private void Serve(Socket socket)
        {
            using (socket)
            {
                var answer = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
                var bytes = new byte[4096];
                try
                {
                    while (socket.Receive(bytes) > 0)
                    {
                        _before(Interlocked.Increment(ref _requests));
                        socket.Send(answer);
                    }
                }
                catch (Exception ended) when (ended is SocketException or IOException)
                {
                    // The client's matter.
                }
            }
        }
    }
}
