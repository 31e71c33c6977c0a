import { diarize } from 'voxlane';

/** Diarizes the recording in the body of the request. */
export async function POST(request: Request) {
  const { turns } = await diarize(await request.blob());
  return Response.json(turns);
}
