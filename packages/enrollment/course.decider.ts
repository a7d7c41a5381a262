import type { Command, Decider } from '../eventsourcing';
import type { CourseEvent } from './enrollment.events';

export interface Course {
  readonly version: number;
  readonly title: string;
}

const initialState: Course = { version: 0, title: '' };

export interface CourseCommandData {
  PublishCourse: { course: string; title: string };
}

export type CourseCommand = Command<'PublishCourse', CourseCommandData['PublishCourse']>;

function decide({ data: { course, title } }: CourseCommand, state: Course): readonly CourseEvent[] {
  if (state.version > 0 && state.title === title) return [];
  return [{ type: 'CoursePublished', data: { course, version: state.version + 1, title } }];
}

function evolve(_state: Course, event: CourseEvent): Course {
  const { version, title } = event.data;
  return { version, title };
}

export const courseDecider: Decider<Course, CourseCommand, CourseEvent> = {
  category: 'course',
  initialState,
  id: ({ data }) => data.course,
  decide,
  evolve,
};
