// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Agent;
using Weft.Local.Streams;

namespace Weft.Local.Serving;

/// <summary>
/// The node's HTTP/1.1 API on <c>run/node.sock</c>: <c>GET /status</c>, <c>GET /stats</c>, <c>GET /containerLogs/NS/POD[/CONTAINER]</c>,
/// <c>POST /exec/NS/POD[/CONTAINER]?command=…</c>, <c>POST /portForward/NS/POD</c>. One request a connection.
/// </summary>
internal sealed partial class NodeApi(NodeAgent agent, NodeStats stats, Func<JsonObject> status, LocalNodeOptions options)
{
    /// <summary>Connections beyond this are closed at once.</summary>
    public const int MaxConnections = 256;

    private int _open;

    public async Task RunAsync(CancellationToken ct)
    {
        File.Delete(options.Home.NodeSocket);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(options.Home.NodeSocket));
        File.SetUnixFileMode(options.Home.NodeSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(MaxConnections);
        while (true)
        {
            var socket = await listener.AcceptAsync(ct);
            if (Interlocked.Increment(ref _open) > MaxConnections)
            {
                Interlocked.Decrement(ref _open);
                LogFull(options.Log, MaxConnections);
                socket.Dispose();
                continue;
            }

            _ = ServeAsync(socket, ct);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken ct)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (await NodeRequest.ReadAsync(stream, ct) is { } request)
            {
                await AnswerAsync(request, stream, ct);
            }
        }
        catch (FormatException e)
        {
            await TryRefuseAsync(stream, 400, e.Message, ct);
        }
        catch (InvalidOperationException e)
        {
            await TryRefuseAsync(stream, 409, e.Message, ct);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogBroken(options.Log, e.Message);
        }
        catch (Exception e)
        {
            LogFailed(options.Log, e);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task AnswerAsync(NodeRequest request, Stream stream, CancellationToken ct)
    {
        var parts = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        switch (request.Method, parts)
        {
            case ("GET", ["status"]):
                await WriteAsync(stream, 200, "application/json", status().ToJsonString(), ct);
                break;
            case ("POST", ["nodes", var node, "stop" or "start"]):
                await SwitchNodeAsync(stream, node, request.Path.EndsWith("/stop", StringComparison.Ordinal), ct);
                break;
            case ("GET", ["stats"]):
                await WriteAsync(stream, 200, "application/json", stats.Describe().ToJsonString(), ct);
                break;
            case ("GET", ["containerLogs", var ns, var pod, .. { Length: <= 1 } container]):
                await LogsAsync(request, stream, ns, pod, container.FirstOrDefault(), ct);
                break;
            case ("POST" or "GET", ["exec", var ns, var pod, .. { Length: <= 1 } container]):
                await ExecAsync(request, stream, ns, pod, container.FirstOrDefault(), ct);
                break;
            case ("POST" or "GET", ["attach", var ns, var pod, .. { Length: <= 1 } container]):
                await AttachAsync(request, stream, ns, pod, container.FirstOrDefault(), ct);
                break;
            case ("POST" or "GET", ["portForward", var ns, var pod]):
                await ForwardAsync(request, stream, ns, pod, ct);
                break;
            default:
                await WriteAsync(stream, 404, "text/plain", $"There is no {request.Method} {request.Path} here.\n", ct);
                break;
        }
    }

    private async Task SwitchNodeAsync(Stream stream, string node, bool stop, CancellationToken ct)
    {
        if (stop && node == options.Nodes[0].Name)
        {
            await WriteAsync(stream, 409, "text/plain", $"'{node}' has the control plane; it stops with the mesh.\n", ct);
        }
        else if (stop ? agent.TryStop(node) : agent.TryStart(node))
        {
            await WriteAsync(stream, 200, "text/plain", "", ct);
        }
        else
        {
            await WriteAsync(stream, 404, "text/plain", $"There is no node '{node}'. There are: {string.Join(", ", options.Nodes.Select(n => n.Name))}\n", ct);
        }
    }

    private async Task LogsAsync(NodeRequest request, Stream stream, string ns, string name, string? container, CancellationToken ct)
    {
        var (pod, chosen) = Find(ns, name, container);
        var previous = request.Flag("previous");
        if (pod is null || chosen is null || LogReader.FileOf(pod.LogFolder(chosen.Spec.Name), previous) is not { } file)
        {
            var what = pod is null ? $"Pod '{ns}/{name}' does not run on this node."
                : chosen is null ? $"Pod '{name}' has no container '{container}'."
                : previous ? $"previous terminated container \"{chosen.Spec.Name}\" in pod \"{name}\" not found"
                : $"container \"{chosen.Spec.Name}\" in pod \"{name}\" is waiting to start: {Waiting(chosen)}";
            await WriteAsync(stream, pod is null || chosen is null ? 404 : 400, "text/plain", what, ct);
            return;
        }

        await WriteHeadAsync(stream, 200, "text/plain", "", ct);
        var restarts = chosen.Restarts;
        bool Ended()
        {
            var now = pod.Containers.FirstOrDefault(c => c.Spec.Name == chosen.Spec.Name);
            return previous || now is null || now.Restarts != restarts || now.State is not ContainerState.Running;
        }

        await LogReader.CopyAsync(file, Options(request), async bytes => await stream.WriteAsync(bytes, ct), Ended, options.Time, ct);
    }

    /// <summary>exec: a new command in a container, over whichever protocol the client speaks.</summary>
    private async Task ExecAsync(NodeRequest request, Stream stream, string ns, string name, string? container, CancellationToken ct)
    {
        var (pod, chosen) = Find(ns, name, container);
        var words = request.Query.GetValueOrDefault("command") ?? [];
        if (pod is null || chosen is null || words.Count == 0)
        {
            var what = pod is null ? $"Pod '{ns}/{name}' does not run on this node."
                : chosen is null ? $"Pod '{name}' has no container '{container}'."
                : "you must specify at least one command for the container";
            await WriteAsync(stream, words.Count == 0 ? 400 : 404, "text/plain", what, ct);
            return;
        }

        var terminal = request.Flag("tty");
        if (chosen.ProcessId == 0)
        {
            throw new InvalidOperationException($"container not found (\"{chosen.Spec.Name}\")");
        }

        await using var client = await Upgrading.ForCommandAsync(request, stream, terminal, ct);
        if (ContainerCommand.Problem(chosen, words[0]) is { } problem)
        {
            await client.EndAsync(127, $"error executing command in container: {problem}", ct);
            return;
        }

        var screen = terminal ? Terminal.Open() : null;
        screen?.Resize((int)(Number(request, "columns") ?? 80), (int)(Number(request, "rows") ?? 24));
        using var session = ExecSession.Start(chosen, words, request.Flag("stdin"), screen);
        await session.RunAsync(client, ct);
    }

    /// <summary>attach: the streams of the container's own process.</summary>
    private async Task AttachAsync(NodeRequest request, Stream stream, string ns, string name, string? container, CancellationToken ct)
    {
        var (pod, chosen) = Find(ns, name, container);
        if (pod is null || chosen is null)
        {
            var what = pod is null ? $"Pod '{ns}/{name}' does not run on this node." : $"Pod '{name}' has no container '{container}'.";
            await WriteAsync(stream, 404, "text/plain", what, ct);
            return;
        }

        var streams = pod.Streams(chosen.Spec.Name)
            ?? throw new InvalidOperationException($"container not found (\"{chosen.Spec.Name}\")");
        await using var client = await Upgrading.ForCommandAsync(request, stream, streams.Terminal is not null, ct);
        await new AttachSession(streams).RunAsync(client, request.Flag("stdin"), ct);
    }

    private async Task ForwardAsync(NodeRequest request, Stream stream, string ns, string name, CancellationToken ct)
    {
        if (agent.Find(ns, name) is not { Address.Length: > 0 } pod)
        {
            await WriteAsync(stream, 404, "text/plain", $"Pod '{ns}/{name}' does not run on this node.", ct);
            return;
        }

        await using var client = await Upgrading.ForPortsAsync(request, stream, ct);
        await new PortForwarding(pod, client).RunAsync(ct);
    }

    /// <summary>The container named, or the one that kubectl would choose: the annotated one, or the first that is no sidecar.</summary>
    private (Pod? Pod, ContainerSnapshot? Container) Find(string ns, string name, string? container)
    {
        if (agent.Find(ns, name) is not { } pod)
        {
            return (null, null);
        }

        var all = pod.Containers;
        container ??= pod.Spec.Source.Annotation("kubectl.kubernetes.io/default-container");
        var chosen = string.IsNullOrEmpty(container)
            ? pod.Spec.Containers.OrderBy(c => c.IsProxy).FirstOrDefault()
            : null;
        return (pod, all.FirstOrDefault(c => c.Spec.Name == (chosen?.Name ?? container)));
    }

    private LogOptions Options(NodeRequest request)
    {
        DateTimeOffset? since = null;
        if (Number(request, "sinceSeconds") is { } seconds)
        {
            since = options.Time.GetUtcNow() - TimeSpan.FromSeconds(seconds);
        }
        else if (request.Value("sinceTime") is { } text)
        {
            since = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : throw new FormatException($"sinceTime '{text}' is no time.");
        }

        return new LogOptions(
            request.Flag("follow"),
            request.Flag("previous"),
            Number(request, "tailLines") is { } tail ? (int)Math.Min(tail, int.MaxValue) : null,
            request.Flag("timestamps"),
            since,
            Number(request, "limitBytes"));
    }

    private static long? Number(NodeRequest request, string name) =>
        request.Value(name) is not { Length: > 0 } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < int.MaxValue ? number
        : throw new FormatException($"{name} '{text}' is no number.");

    private static string Waiting(ContainerSnapshot container) =>
        container.State is ContainerState.Waiting { Reason: var reason } ? reason : "ContainerCreating";

    private static async Task TryRefuseAsync(Stream stream, int code, string message, CancellationToken ct)
    {
        try
        {
            await WriteAsync(stream, code, "text/plain", message, ct);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client did not wait for the refusal.
        }
    }

    private static async Task WriteAsync(Stream stream, int code, string type, string body, CancellationToken ct)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        await WriteHeadAsync(stream, code, type, string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bytes.Length}\r\n"), ct);
        await stream.WriteAsync(bytes, ct);
    }

    private static async Task WriteHeadAsync(Stream stream, int code, string type, string more, CancellationToken ct)
    {
        var reason = code switch { 200 => "OK", 400 => "Bad Request", 404 => "Not Found", _ => "Conflict" };
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {code} {reason}\r\nContent-Type: {type}\r\nConnection: close\r\n{more}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), ct);
    }

    [LoggerMessage(5501, LogLevel.Warning, "The node's API has {Max} connections open and closed a new one.")]
    private static partial void LogFull(ILogger log, int max);

    [LoggerMessage(5502, LogLevel.Debug, "A connection to the node's API broke: {Reason}")]
    private static partial void LogBroken(ILogger log, string reason);

    [LoggerMessage(5503, LogLevel.Error, "A request to the node's API failed.")]
    private static partial void LogFailed(ILogger log, Exception error);
}
