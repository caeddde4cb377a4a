// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Relays;

/// <summary>Accepts connections and joins each with one that <c>dial</c> makes; at most <see cref="MaxConnections"/> at a time.</summary>
internal sealed partial class RelayListener : IDisposable
{
    /// <summary>Beyond this, new connections are closed at once.</summary>
    public const int DefaultMaxConnections = 1024;

    private const int Backlog = 512;

    private readonly Socket _listener;
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly ILogger _log;
    private int _open;

    private RelayListener(Socket listener, Func<Socket, CancellationToken, Task> serve, ILogger log, int maxConnections)
    {
        _listener = listener;
        _serve = serve;
        _log = log;
        MaxConnections = maxConnections;
    }

    public int MaxConnections { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Opens the listener; throws <see cref="SocketException"/> when the address is taken.</summary>
    /// <param name="dial">Gets the accepted socket (to read a header from) and returns the other side, or null to close it.</param>
    public static RelayListener Open(
        EndPoint address,
        Func<Socket, CancellationToken, Task<Socket?>> dial,
        ILogger log,
        int maxConnections = DefaultMaxConnections) => OpenServing(
            address,
            async (accepted, ct) =>
            {
                using var other = await dial(accepted, ct);
                if (other is not null)
                {
                    await SocketPump.RunAsync(accepted, other, ct);
                }
            },
            log,
            maxConnections);

    /// <summary>Opens a listener whose connections are served as <paramref name="serve"/> likes; they are closed afterwards.</summary>
    public static RelayListener OpenServing(
        EndPoint address,
        Func<Socket, CancellationToken, Task> serve,
        ILogger log,
        int maxConnections = DefaultMaxConnections)
    {
        var unix = address is UnixDomainSocketEndPoint;
        var socket = new Socket(
            address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen(Backlog);
            return new RelayListener(socket, serve, log, maxConnections);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Accepts until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            Socket accepted;
            try
            {
                accepted = await _listener.AcceptAsync(ct);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                LogAcceptFailed(_log, e.Message);
                await Task.Delay(100, ct).ContinueWith(_ => { }, TaskScheduler.Default);
                continue;
            }

            if (Interlocked.Increment(ref _open) > MaxConnections)
            {
                Interlocked.Decrement(ref _open);
                LogFull(_log, MaxConnections);
                accepted.Dispose();
                continue;
            }

            _ = ServeAsync(accepted, ct);
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(Socket accepted, CancellationToken ct)
    {
        try
        {
            using (accepted)
            {
                await _serve(accepted, ct);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or FormatException)
        {
            LogConnectionFailed(_log, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    [LoggerMessage(5101, LogLevel.Warning, "A relay could not accept a connection: {Reason}")]
    private static partial void LogAcceptFailed(ILogger log, string reason);

    [LoggerMessage(5102, LogLevel.Warning, "A relay has {Max} connections open and closed a new one.")]
    private static partial void LogFull(ILogger log, int max);

    [LoggerMessage(5103, LogLevel.Debug, "A relayed connection failed: {Reason}")]
    private static partial void LogConnectionFailed(ILogger log, string reason);
}
