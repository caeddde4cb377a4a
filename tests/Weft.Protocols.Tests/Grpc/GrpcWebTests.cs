// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Grpc;
using Xunit;

namespace Weft.Protocols.Tests.Grpc;

public sealed class GrpcWebTests
{
    [Theory]
    [InlineData("application/grpc-web", GrpcWebForm.Binary, "")]
    [InlineData("application/grpc-web+proto", GrpcWebForm.Binary, "+proto")]
    [InlineData("Application/gRPC-Web-Text+proto; charset=utf-8", GrpcWebForm.Text, "+proto")]
    [InlineData("application/grpc-web-text", GrpcWebForm.Text, "")]
    [InlineData("application/grpc-web-text ;a", GrpcWebForm.Text, "")]
    [InlineData("application/grpc-website", GrpcWebForm.None, "")]
    [InlineData("application/grpc-web-texts", GrpcWebForm.None, "")]
    [InlineData("application/grpc", GrpcWebForm.None, "")]
    [InlineData("application/grpc+proto", GrpcWebForm.None, "")]
    [InlineData("", GrpcWebForm.None, "")]
    public void A_content_type_says_how_the_body_travels(string contentType, GrpcWebForm form, string format)
    {
        Assert.Equal(form, GrpcWebType.Read(Encoding.ASCII.GetBytes(contentType), out var found));
        Assert.Equal(format, Encoding.ASCII.GetString(found));
    }

    [Fact]
    public void Trailers_become_a_frame_with_names_in_lower_case_and_without_what_no_trailer_may_be()
    {
        var trailers = "Grpc-Status: 5\r\nSet-Cookie: a=b\r\ngrpc-message:not%20here\r\n"u8;
        var output = new byte[GrpcWebTrailers.MaxLength(trailers)];
        var frame = output.AsSpan(0, GrpcWebTrailers.Write(trailers, output));
        Assert.Equal("\u0080\0\0\0\u002agrpc-status: 5\r\ngrpc-message: not%20here\r\n", Encoding.Latin1.GetString(frame));
    }

    [Fact]
    public void The_room_for_a_frame_suffices_where_every_value_came_without_a_blank()
    {
        var trailers = "a:1\r\nb:\r\n"u8;
        var output = new byte[GrpcWebTrailers.MaxLength(trailers)];
        Assert.Equal(output.Length, GrpcWebTrailers.Write(trailers, output));
    }
}
