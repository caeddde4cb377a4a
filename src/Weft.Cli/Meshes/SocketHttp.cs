// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;

namespace Weft.Cli.Meshes;

/// <summary>Plain HTTP over the mesh's Unix sockets.</summary>
internal static class SocketHttp
{
    public static HttpClient Open(string socketPath) => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, ct) => new NetworkStream(await ConnectAsync(socketPath, ct), ownsSocket: true),
        },
        disposeHandler: true)
    {
        BaseAddress = new Uri("http://weft/"),
        Timeout = TimeSpan.FromSeconds(10),
    };

    public static async Task<Socket> ConnectAsync(string socketPath, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The body of an answer with a status of success; null if there was none.</summary>
    public static async Task<string?> TryGetAsync(string socketPath, string path, CancellationToken ct)
    {
        try
        {
            using var http = Open(socketPath);
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(ct) : null;
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or SocketException or IOException || (unreachable is TaskCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
