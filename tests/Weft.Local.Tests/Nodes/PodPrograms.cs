// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Local.Tests.Nodes;

/// <summary>What runs in the pods of the tests: tiny servers, clients and a stand-in for the sidecar.</summary>
internal static class PodPrograms
{
    private const int OriginalDestination = 80;
    private const int Mark = 36;

    public static async Task<int> RunAsync(string verb, string[] arguments)
    {
        switch (verb, arguments)
        {
            case ("listen", [var port, var text]):
                await ServeAsync(Number(port), (client, _) => $"{text} from {Peer(client)}");
                return 0;
            case ("http", [var port, var text]):
                await ServeAsync(Number(port), (_, _) => Http(text));
                return 0;
            case ("connect", [var address, var port, .. var options]):
                return await ConnectAsync(address, Number(port), options);
            case ("udp", [var port]):
                await ServeUdpAsync(Number(port));
                return 0;
            case ("ask", [var address, var port]):
                return await AskUdpAsync(address, Number(port));
            case ("knock", [var path]):
                using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
                }

                return 0;
            case ("sidecar", ["--bootstrap", var file]):
                _ = await File.ReadAllTextAsync(file);
                await Task.WhenAll(
                    ServeAsync(15001, (client, original) => $"outbound to {original} from {Peer(client)}"),
                    ServeAsync(15006, (client, original) => $"inbound to {original} from {Peer(client)}"),
                    ServeAsync(15021, (_, _) => Http("ready")));
                return 0;
            case ("grpc", [var port, var health]):
                await PodServers.HealthAsync(Number(port), (byte)Number(health));
                return 0;
            case ("https", [var port]):
                await PodServers.HttpsAsync(Number(port));
                return 0;
            case ("stubborn", []):
                using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = true))
                {
                    await Console.Out.WriteLineAsync("stubborn");
                    await Task.Delay(Timeout.Infinite);
                }

                return 0;
            default:
                await Console.Error.WriteLineAsync($"There is no verb {verb} with {arguments.Length} arguments.");
                return 64;
        }
    }

    private static async Task ServeAsync(int port, Func<Socket, string, string> answer)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Any, port));
        listener.Listen(100);
        while (true)
        {
            _ = AnswerAsync(await listener.AcceptAsync(), answer);
        }
    }

    private static async Task AnswerAsync(Socket client, Func<Socket, string, string> answer)
    {
        using (client)
        {
            try
            {
                await client.SendAsync(Encoding.UTF8.GetBytes(answer(client, Original(client))));
                client.Shutdown(SocketShutdown.Send);
                while (await client.ReceiveAsync(new byte[4096]) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // The client did not wait.
            }
        }
    }

    private static async Task<int> ConnectAsync(string address, int port, string[] options)
    {
        var times = options.FirstOrDefault(o => o.StartsWith("--times=", StringComparison.Ordinal)) is { } many ? Number(many[8..]) : 1;
        var code = 0;
        for (var i = 0; i < times; i++)
        {
            code |= await ConnectOnceAsync(address, port, options);
        }

        return code;
    }

    private static async Task<int> ConnectOnceAsync(string address, int port, string[] options)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            if (options.Contains("--mark"))
            {
                socket.SetRawSocketOption(1, Mark, BitConverter.GetBytes(0x539));
            }

            if (options.FirstOrDefault(o => o.StartsWith("--bind=", StringComparison.Ordinal)) is { } bind)
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse(bind[7..]), 0));
            }

            var ip = IPAddress.TryParse(address, out var parsed) ? parsed : (await System.Net.Dns.GetHostAddressesAsync(address, AddressFamily.InterNetwork, limit.Token))[0];
            await socket.ConnectAsync(ip, port, limit.Token);
            await using var stream = new NetworkStream(socket);
            using var reader = new StreamReader(stream);
            await Console.Out.WriteAsync(await reader.ReadToEndAsync(limit.Token));
            return 0;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
        {
            await Console.Out.WriteAsync(e is SocketException s ? s.SocketErrorCode.ToString() : e.Message);
            return 1;
        }
    }

    private static async Task ServeUdpAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        while (true)
        {
            var buffer = new byte[100];
            var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
            await socket.SendToAsync(Encoding.UTF8.GetBytes($"udp from {got.RemoteEndPoint}"), got.RemoteEndPoint);
        }
    }

    private static async Task<int> AskUdpAsync(string address, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.ConnectAsync(IPAddress.Parse(address), port, limit.Token);
        await socket.SendAsync("?"u8.ToArray());
        var buffer = new byte[100];
        var count = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
        await Console.Out.WriteAsync(Encoding.UTF8.GetString(buffer, 0, count));
        return 0;
    }

    private static string Original(Socket client)
    {
        Span<byte> address = stackalloc byte[16];
        try
        {
            _ = client.GetRawSocketOption(0, OriginalDestination, address);
            return $"{address[4]}.{address[5]}.{address[6]}.{address[7]}:{(address[2] << 8) | address[3]}";
        }
        catch (SocketException)
        {
            return "nowhere else";
        }
    }

    private static string Peer(Socket client) => ((IPEndPoint)client.RemoteEndPoint!).Address.ToString();

    private static string Http(string text) =>
        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}");

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
