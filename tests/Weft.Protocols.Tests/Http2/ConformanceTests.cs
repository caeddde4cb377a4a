// SPDX-License-Identifier: Apache-2.0

using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>The server's side against every conformance case, whole and in pieces.</summary>
public sealed class ConformanceTests
{
    public static TheoryData<string> Names => [.. ConformanceCase.All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_server_does_what_the_rfc_says(string name) => ConformanceCase.Named(name).Run(new ConformanceClient(new AnsweringServer(int.MaxValue)));

    [Fact]
    public void It_does_the_same_however_the_bytes_are_cut()
    {
        foreach (var size in (int[])[1, 7, 10])
        {
            foreach (var one in ConformanceCase.All)
            {
                one.Run(new ConformanceClient(new AnsweringServer(size)));
            }
        }
    }
}
