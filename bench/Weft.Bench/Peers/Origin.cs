// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Peers;

/// <summary>
/// The server behind every proxy: nginx with answers from memory. It is never measured, only needs to be faster than what is.
/// </summary>
internal sealed class Origin
{
    /// <summary>Body of 100 bytes.</summary>
    public const string Small = "/100";

    /// <summary>Body of 10,000 bytes.</summary>
    public const string Large = "/10000";

    /// <summary>Body of 10 MB.</summary>
    public const string Bulk = "/10000000";

    /// <summary>A unary gRPC method; answers one message of 100 bytes and grpc-status 0 in the trailers.</summary>
    public const string Grpc = "/bench.Echo/Say";

    public Origin(Lab lab)
    {
        Port = lab.NextPort();
        Http2Port = lab.NextPort();
        var files = lab.Folder("files");
        File.WriteAllText(Path.Combine(files, "10000"), new string('x', 10_000));
        File.WriteAllText(Path.Combine(files, "10000000"), new string('x', 10_000_000));
        GrpcRequest = Path.Combine(files, "request");
        File.WriteAllBytes(GrpcRequest, Message(100));
        File.WriteAllBytes(Path.Combine(files, "answer"), Message(100));
        File.WriteAllText(Path.Combine(files, "call"), "");
        var locations = $$"""
                location = {{Small}} { return 200 "{{new string('x', 100)}}"; }
                location = {{Large}} { alias {{files}}/10000; }
                location = {{Bulk}} { alias {{files}}/10000000; }
                # The call is read to its end first, as a server would. Files do not take POST: the page for that error is fetched with GET.
                location = {{Grpc}} { echo_read_request_body; echo_exec /call; }
                location = /call { root {{files}}; error_page 405 =200 /answer; }
                location = /answer { root {{files}}; default_type application/grpc; add_trailer grpc-status 0; }
            """;
        Server = new Nginx(lab, Nginx.Debian).Http("origin", $$"""
            open_file_cache max=16 inactive=1h; open_file_cache_valid 1h;
            server {
                listen {{Port}} reuseport backlog=4096;
            {{locations}}
            }
            server {
                listen {{Http2Port}} http2 reuseport backlog=4096; http2_max_concurrent_streams 1024;
            {{locations}}
            }
            """);
        Direct = new Topology("no proxy", Port);
        DirectHttp2 = new Topology("no proxy", Http2Port);
        Direct.WhenListening();
        DirectHttp2.WhenListening();
    }

    public System.Diagnostics.Process Server { get; }

    /// <summary>HTTP/1.1.</summary>
    public int Port { get; }

    /// <summary>HTTP/2 without TLS.</summary>
    public int Http2Port { get; }

    /// <summary>A file with one gRPC message, to be posted.</summary>
    public string GrpcRequest { get; }

    /// <summary>Load that meets no proxy.</summary>
    public Topology Direct { get; }

    public Topology DirectHttp2 { get; }

    /// <summary>A gRPC message: flag, length, then that many bytes.</summary>
    private static byte[] Message(byte length) => [0, 0, 0, 0, length, .. Enumerable.Repeat((byte)'x', length)];
}
